"""Tells when a timer is due, and keeps the server's timers in line with what the log wants.

Every control process watches and counts down; only the one that leads sets and cancels. What it can't do now is done
later, and everything is compared anew from time to time, so that nothing which goes wrong here stays wrong.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from typing import Final

from clawactors.eventlog import EventLogError
from clawactors.eventlog.timers import Timers
from clawactors.runtime.logtime import LogTime
from clawactors.systems.timers import Agenda, CancelTimer, SetTimer

__all__ = ["TimerKeeper"]

_ANEW_S: Final = 600.0
_AGAIN_S: Final = 0.2
_LOOK_S: Final = 5.0
"""The loop's clock stands still while the machine sleeps, so a long wait looks so often whether it is over."""
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
        time: LogTime,
        *,
        position: Callable[[], int],
        leads: Callable[[], bool],
        rang: Callable[[str, str], None],
    ) -> None:
        self._timers, self._agenda, self._time = timers, agenda, time
        self._position, self._leads, self._rang = position, leads, rang
        self._more = asyncio.Event()
        self._look: asyncio.TimerHandle | None = None
        self._look_ns = 0

    def wake(self) -> None:
        """There may be something to do."""
        self._more.set()
        self._count_down()

    def tick(self) -> None:
        """Time has passed, or was set: tells of what is due."""
        for kind, id in self._agenda.show(self._time.now_ns()):
            self._rang(kind, id)
        self.wake()

    async def serve(self) -> None:
        """Watches, keeps and counts down for ever."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch())
                group.create_task(self._keep())
        finally:
            if self._look is not None:
                self._look.cancel()

    def _count_down(self) -> None:
        next_ns = self._agenda.next_ns
        if next_ns is None or (self._look is not None and self._look_ns <= next_ns):
            return
        if self._look is not None:
            self._look.cancel()
        left_s = min(_LOOK_S, max(0.001, (next_ns - self._time.now_ns()) / 1e9))
        self._look, self._look_ns = asyncio.get_running_loop().call_later(left_s, self._on_time), next_ns

    def _on_time(self) -> None:
        self._look = None
        self.tick()

    async def _watch(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_ANEW_S), aclosing(self._timers.watch()) as watching:
                    self._agenda.begin(await anext(watching))
                    self.tick()
                    async for marks in watching:
                        for mark in marks:
                            self._agenda.saw(mark)
                        self.tick()
            except TimeoutError:
                continue
            except EventLogError as error:
                _log.info("the timers are watched anew: %s", error)
            await asyncio.sleep(_AGAIN_S)

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
