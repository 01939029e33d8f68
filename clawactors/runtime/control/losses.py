"""Notices that somebody else has purged the log, and lets nothing be built on what is gone.

1. The head tells how many records were ever taken away. When that number changes, all is read, with the archive: what
   neither has is missing. What was archived on purpose is in the archive, so it is no alarm.
2. While anything is missing, an aggregate whose last record is gone is refused: its id was given and stays taken, and
   nothing can be decided on a history that nobody can read. The others go on.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from clawactors.eventlog import EventLog, EventLogError, aggregate_pattern
from clawactors.eventlog.gaps import Gap, Gaps, find_gaps, taken_away
from clawactors.kernel.errors import Refused
from clawactors.runtime.call import Call, Handler, Reply
from clawactors.runtime.control.folded import FoldedSnapshots

__all__ = ["LossWatch", "Losses"]

_EVERY_S: Final = 5.0
_REST_S: Final = 60.0
"""Between two readings of everything, where nothing was missing: archiving takes records away all the time."""

_TOLD: Final = 20

_log = logging.getLogger(__name__)


class Losses:
    """Middleware; it costs nothing while `gaps` is empty."""

    def __init__(self, log: EventLog, snapshots: FoldedSnapshots) -> None:
        self._log, self._snapshots = log, snapshots
        self.gaps, self.trouble = Gaps(), ""
        """What is missing; and why that can't be seen, '' where it can."""
        self.refresh: Callable[[], Awaitable[None]] = _nothing
        """Looks now."""

    @property
    def position(self) -> int:
        """The sequence up to which the log was folded."""
        return self._snapshots.position

    def __call__(self, handler: Handler) -> Handler:
        """The handler that refuses what is gone."""

        async def handle(calls: Sequence[Call]) -> Sequence[Reply]:
            if not self.gaps.records:
                return await handler(calls)
            refused = {call.id: why for call in calls if (why := await self._refusal(call))}
            replies = iter(await handler([call for call in calls if call.id not in refused]))
            return [refused[call.id] if call.id in refused else next(replies) for call in calls]

        return handle

    async def _refusal(self, call: Call) -> Exception | None:
        """Why nothing can be decided about that aggregate, None where its last record is there."""
        version = self._snapshots.states.get(call.kind.name, call.id, brief=True)[0].version
        if not version:
            return None
        try:
            async for records in self._log.read([aggregate_pattern(call.kind.name, call.id)], after=version - 1):
                if records[0].seq == version:
                    return None
                break
        except EventLogError as error:
            return error
        return Refused(
            f"{call.kind.name} {call.id} exists and its history is gone from the log: somebody purged it; "
            "restore a backup, or choose another id (claw doctor says what is missing)"
        )

    def told(self) -> dict[str, Any]:
        """What is missing, for questions."""
        ranges = [[gap.first, gap.last] for gap in self.gaps.ranges[:_TOLD]]
        return {"records": self.gaps.records, "ranges": ranges, "trouble": self.trouble}


async def _nothing() -> None:
    pass


class LossWatch:
    """Fills `losses`; `serve` until cancelled. `log` reads its archive too."""

    def __init__(self, log: EventLog, losses: Losses) -> None:
        self._log, self._losses = log, losses
        self._known = 0
        self._next_s = 0.0
        losses.refresh = partial(self.refresh, at_once=True)

    async def serve(self) -> None:
        """Looks again and again."""
        while True:
            with suppress(EventLogError):  # it is told
                await self.refresh()
            await asyncio.sleep(_EVERY_S)

    async def refresh(self, *, at_once: bool = False) -> None:
        """Notes what is missing now. Raises: what log and archive raise."""
        losses, clock = self._losses, asyncio.get_running_loop().time
        head = await self._log.head()
        if head.last_seq < losses.position:  # another log has its name, or its end is gone
            self._note(Gaps(losses.position - head.last_seq, (Gap(head.last_seq + 1, losses.position),)))
            return
        if (taken := taken_away(head)) == self._known or (clock() < self._next_s and not at_once):
            return
        self._next_s = clock() + _REST_S
        try:
            self._note(await find_gaps(self._log))
        except EventLogError as error:
            losses.trouble = str(error)
            _log.error("it can't be seen whether anything is missing from the log: %s", error)
            raise
        self._known, losses.trouble = taken, ""

    def _note(self, gaps: Gaps) -> None:
        if gaps.records and gaps != self._losses.gaps:
            shown = ", ".join(f"{gap.first}-{gap.last}" for gap in gaps.ranges[:5])
            _log.error("%d records are missing from the log, sequences %s: see claw doctor", gaps.records, shown)
        self._losses.gaps = gaps
