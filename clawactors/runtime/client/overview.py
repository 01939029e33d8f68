"""A cluster at a glance: `ClusterStatus`, with rates, waits, durations, errors and disk of the last minute."""

import asyncio
from typing import Final

import msgspec

from clawactors.eventlog import Unavailable
from clawactors.kernel.time import iso
from clawactors.runtime.activity import ActivityReply, TookReply
from clawactors.runtime.client.summary import ClusterStatus, Sizes, Summary, Took

__all__ = ["FullestDisk", "Overview", "OverviewReader", "Queue", "Rates", "Series"]

_SIZES_S: Final = 5.0
"""Sizes on disk change slowly and cost more than the rest: a client asks for them this often at most."""


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Rates(_Part, frozen=True):
    """What happened a second. `failed` counts attempts; `completed`, `dead` and `cancelled` count tasks that ended."""

    commits: float
    submitted: float
    started: float
    completed: float
    failed: float
    dead: float
    cancelled: float


class Queue(_Part, frozen=True):
    """Tasks that could run and have no node, since when the longest of them, the `slots` of living nodes and how many
    tasks are `given` to these: ahead of free slots too.
    """

    pending: int
    longest_s: float
    slots: int
    given: int


class FullestDisk(_Part, frozen=True):
    """The node whose disk is fullest, in percent."""

    node: str
    percent: float


class Series(_Part, frozen=True):
    """Counts second by second, the oldest first; the last second ends at `until`. As in `Rates`."""

    until: str
    commits: tuple[int, ...]
    submitted: tuple[int, ...]
    started: tuple[int, ...]
    completed: tuple[int, ...]
    failed: tuple[int, ...]
    dead: tuple[int, ...]
    cancelled: tuple[int, ...]


class Overview(ClusterStatus, frozen=True, kw_only=True):
    """The status of a cluster, and what happened in the last `window_s` seconds before `at`.

    `wait`: from where a task could run to where a node was given it; `took`: runs that completed; `errors`: failed
    attempts by class. `trouble` is why nothing can be appended, '' where it can. `window_s` is less than what was asked
    for where the control process that answers has begun since.
    """

    at: str
    window_s: float
    rates: Rates
    wait: Took
    took: Took
    queue: Queue
    errors: dict[str, int]
    sizes: Sizes
    fullest_disk: FullestDisk | None = None
    trouble: str = ""
    series: Series | None = None


class OverviewReader(Summary):
    """Answers it in one round trip."""

    _sizes: tuple[float, Sizes] | None = None

    async def overview(self, *, window_s: int = 60, series_s: int = 0) -> Overview:
        """The cluster at a glance, cheap enough to be asked every second: nothing is read that grows with its tasks.

        `window_s` is what rates, waits, durations and errors are of; `series_s` asks for so many seconds one by one.
        Both are 300 at most. Raises: `InvalidQuery`, `Unavailable`.
        """
        status, recent, sizes = await asyncio.gather(
            self.status(),
            self.views.answer(ActivityReply, "activity", window_s=window_s, series_s=series_s),
            self._sizes_lately(),
        )
        series = recent.series
        return Overview(
            **{name: getattr(status, name) for name in ClusterStatus.__struct_fields__},
            at=iso(recent.at_ns) or "",
            window_s=recent.window_s,
            rates=Rates(
                **{name: round(getattr(recent, name) / recent.window_s, 3) for name in Rates.__struct_fields__}
            ),
            wait=_took(recent.wait),
            took=_took(recent.took),
            queue=Queue(
                pending=status.tasks.get("pending", 0),
                longest_s=round(max(0, recent.at_ns - recent.longest_ns) / 1e9, 3) if recent.longest_ns else 0.0,
                slots=recent.slots,
                given=recent.given,
            ),
            errors=dict(sorted(recent.errors.items(), key=lambda each: (-each[1], each[0]))),
            sizes=sizes,
            fullest_disk=FullestDisk(node=recent.fullest, percent=recent.fullest_percent) if recent.fullest else None,
            trouble=recent.trouble,
            series=None
            if series is None
            else Series(
                until=iso(series.until_ns) or "",
                **{name: tuple(getattr(series, name)) for name in Series.__struct_fields__ if name != "until"},
            ),
        )

    async def _sizes_lately(self) -> Sizes:
        now_s = asyncio.get_running_loop().time()
        if self._sizes is None or now_s - self._sizes[0] > _SIZES_S:
            try:
                self._sizes = now_s, await self.sizes()
            except Unavailable:
                if self._sizes is None:
                    raise
        return self._sizes[1]


def _took(reply: TookReply) -> Took:
    return msgspec.convert(reply, Took, from_attributes=True)
