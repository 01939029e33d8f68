"""A cluster as it was at a past moment: the same questions, the same rows.

The first question about a moment has its views built, which takes as long as reading the log up to there; they are kept
for the next ones. What expires is not on record: rows of nodes have no heartbeat and no use of the machine.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clawactors.kernel.errors import InvalidQuery
from clawactors.kernel.time import ago_ns
from clawactors.runtime.client.connected import ConnectedClient
from clawactors.runtime.client.listing import Listing
from clawactors.runtime.client.questions import TypedQuestions, building_of
from clawactors.runtime.client.rows import NodeRow, TaskRow
from clawactors.runtime.client.summary import LogSize, PastStatus, StatisticsReader
from clawactors.runtime.times import Moment, moment_ns

if TYPE_CHECKING:
    from clawactors.runtime.client.history import HistoryEntry

__all__ = ["PastCluster", "PastReading"]

_AGAIN_S: Final = 0.05


class _PastCounts(msgspec.Struct):
    tasks: dict[str, int]
    nodes: dict[str, int]
    needs_upgrade: int
    faults: int
    position: int


class PastReading(Listing, StatisticsReader):
    """What can be asked of views of a past moment. All raise `InvalidQuery`, `Unavailable`."""

    async def status(self) -> PastStatus:
        """A summary of the cluster's state then."""
        counts = await self.views.answer(_PastCounts, "status")
        return PastStatus(
            tasks=counts.tasks,
            nodes=counts.nodes,
            log=LogSize(last_seq=counts.position, bytes=0),
            faults=counts.faults,
            needs_upgrade=counts.needs_upgrade,
        )

    async def nodes(
        self,
        *,
        status: str = "",
        skill: str = "",
        available: bool = False,
        silent_s: float | None = None,
        fresh: bool = True,
    ) -> list[NodeRow]:
        """See `Listing.nodes`; who was silent is not on record."""
        if silent_s is not None:
            raise InvalidQuery("heartbeats are not on record: which nodes were silent then is not known")
        return await super().nodes(status=status, skill=skill, available=available, fresh=fresh)

    async def task(self, id: str) -> TaskRow:
        """The task as it was then. Raises: `NotFound`."""
        return await self.views.row(TaskRow, "task", id=id)


class PastCluster(PastReading):
    """`ClusterClient.at` makes it. `progress` is told how many of how many commits are in views that are built."""

    def __init__(
        self, client: ConnectedClient, place: Moment, progress: Callable[[int, int], None] = lambda done, of: None
    ) -> None:
        self._client, self._place, self._progress = client, checked_place(place), progress
        self._resolved: dict[str, int] = {}
        self.views = TypedQuestions(self._ask)

    async def _at(self) -> dict[str, int]:
        """What a question says of the moment; a relative time is one moment for all questions."""
        if not self._resolved:
            if isinstance(self._place, int):
                self._resolved = {"at_seq": self._place}
            elif isinstance(self._place, str) and (ago := ago_ns(self._place)) is not None:
                self._resolved = {"at_time_ns": await self._client.now_ns() - ago}
            else:
                # To the end of the microsecond: what a row shows with that time is within it.
                self._resolved = {"at_time_ns": (moment_ns(self._place) or 0) + 999}
        return self._resolved

    async def prepare(self) -> None:
        """Returns when the views of that moment are there. Raises: `InvalidQuery` where the log has no such moment."""
        await self.status()

    async def _ask(self, name: str, question: dict[str, Any]) -> bytes:
        question = question | await self._at()
        while True:
            answer = await self._client.ask(name, question)
            if (built := building_of(answer)) is None:
                return answer
            self._progress(*built)
            await asyncio.sleep(_AGAIN_S)

    async def history(self, id: str) -> "list[HistoryEntry]":
        """Every event of the task up to then, oldest first. Raises: `NotFound`, `Refused`."""
        from clawactors.runtime.client.history import read_history

        at = await self._at()
        place = ("seq", at["at_seq"]) if "at_seq" in at else ("time", at["at_time_ns"])
        return (await read_history(self._client.questions, id, place)).entries


def checked_place(place: object) -> Moment:
    """A sequence of the log, a time, or a time ago. Raises: `InvalidQuery`."""
    if isinstance(place, int) and not isinstance(place, bool):
        if place < 1:
            raise InvalidQuery(f"{place} is no sequence of the log: they begin at 1")
        return place
    if isinstance(place, str) and ago_ns(place) is not None:
        return place
    if (at_ns := moment_ns(place)) is None or at_ns <= 0:
        raise InvalidQuery(f"{place!r} is not a valid time: use one after 1970, a sequence, or a time ago as in -2h")
    return place  # type: ignore[return-value] # `moment_ns` has refused what is none
