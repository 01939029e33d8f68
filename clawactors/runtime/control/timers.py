"""Keeps the server's timers in line with what the log wants, and hears of those that go off.

Every control process watches; only the one that leads sets and cancels. What it can't do now is done later, and
everything is compared anew from time to time, so that nothing which goes wrong here stays wrong.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from typing import Final

from clawactors.eventlog import EventLogError
from clawactors.eventlog.timers import Timers
from clawactors.systems.timers import Agenda, CancelTimer, SetTimer

__all__ = ["TimerKeeper"]

_ANEW_S: Final = 600.0
_AGAIN_S: Final = 0.2
_AT_ONCE: Final = 128

_log = logging.getLogger(__name__)


class TimerKeeper:
    """`serve` runs until cancelled; call `wake` when the agenda or the leader may have changed.

    `position` is how far the log is folded, `rang` is told the kind and the id of each timer that is due.
    """

    def __init__(
        self,
        timers: Timers,
        agenda: Agenda,
        *,
        position: Callable[[], int],
        leads: Callable[[], bool],
        rang: Callable[[str, str], None],
    ) -> None:
        self._timers, self._agenda = timers, agenda
        self._position, self._leads, self._rang = position, leads, rang
        self._more = asyncio.Event()

    def wake(self) -> None:
        """There may be something to do."""
        self._more.set()

    def show(self, at_ns: int) -> None:
        """The log's clock has shown this time."""
        self._take(self._agenda.show(at_ns))

    async def serve(self) -> None:
        """Watches and keeps for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch())
            group.create_task(self._keep())

    async def _watch(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_ANEW_S), aclosing(self._timers.watch()) as watching:
                    self._take(self._agenda.begin(await anext(watching)))
                    async for marks in watching:
                        self._take([name for mark in marks for name in self._agenda.saw(mark)])
            except TimeoutError:
                continue
            except EventLogError as error:
                _log.info("the timers are watched anew: %s", error)
            await asyncio.sleep(_AGAIN_S)

    def _take(self, due: list[tuple[str, str]]) -> None:
        for kind, id in due:
            self._rang(kind, id)
        self._more.set()

    async def _keep(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            if not (self._agenda.known and self._leads()):
                continue
            changes = list(self._agenda.changes(self._position(), _AT_ONCE))
            done = await asyncio.gather(*(self._make(change) for change in changes))
            if not all(done):
                await asyncio.sleep(_AGAIN_S)
            if changes:
                self._more.set()

    async def _make(self, change: SetTimer | CancelTimer) -> bool:
        """Carries it out; False when it has to be tried again."""
        try:
            match change:
                case SetTimer():
                    await self._timers.set(change.kind, change.id, change.at_ns, change.version)
                case CancelTimer():
                    await self._timers.cancel(change.kind, change.id, change.place)
        except EventLogError as error:
            _log.info("a timer has to wait: %s", error)
            self._agenda.again(change)
            return False
        return True
