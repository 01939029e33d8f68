"""Measures what is wrong with the cluster as a whole while this process leads, and puts it on record when it changes.

1. An alarm begins at `raise_at` and is over at `clear_at`, which is lower: what swings between them is told once.
2. What can't be put on record, as on a full disk, is told at once to who wants to know, once for each time.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from clawactors.eventlog import EventLogError
from clawactors.runtime.call import Call
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.notifications.words import Happening
from clawactors.systems.alarms.decider import AlarmCommand, ClearAlarm, RaiseAlarm
from clawactors.systems.alarms.kind import ALARMS

__all__ = ["AlarmGauge", "AlarmKeeper", "Measured"]

_EVERY_S: Final = 10.0

_log = logging.getLogger(__name__)


class Measured(msgspec.Struct, frozen=True):
    """What was measured, and how a person says it."""

    level: float
    text: str


class AlarmGauge(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is measured; the higher, the worse. `times`: it is too high so often in a row before it counts."""

    name: str
    measure: Callable[[], Awaitable[Measured]]
    raise_at: float
    clear_at: float
    times: int = 1


class AlarmKeeper:
    """`serve` runs until cancelled. `tell` gets what can't be put on record."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        leads: Callable[[], bool],
        gauges: Sequence[AlarmGauge],
        tell: Callable[[Happening], None],
    ) -> None:
        self._dispatcher, self._leads, self._gauges, self._tell = dispatcher, leads, gauges, tell
        self._high: dict[str, int] = {}
        self._told: set[str] = set()

    def use(self, gauges: Sequence[AlarmGauge]) -> None:
        """Measures these from now on."""
        self._gauges = gauges

    async def serve(self) -> None:
        """Measures for ever."""
        while True:
            await asyncio.sleep(_EVERY_S)
            if self._leads():
                await self.check()

    async def check(self) -> None:
        """Measures each once."""
        for gauge in self._gauges:
            try:
                await self._check(gauge)
            except (EventLogError, OSError) as error:
                _log.warning("the alarm %s has to wait: %s", gauge.name, error)

    async def _check(self, gauge: AlarmGauge) -> None:
        name, measured = gauge.name, await gauge.measure()
        self._high[name] = self._high.get(name, 0) + 1 if measured.level >= gauge.raise_at else 0
        known = (await self._dispatcher.snapshots.load(ALARMS, name)).snapshot.state
        if known.status != "raised" and self._high[name] >= gauge.times:
            await self._record(name, RaiseAlarm(measured.text))
        elif known.status == "raised" and measured.level <= gauge.clear_at:
            await self._record(name, ClearAlarm(measured.text))
        if measured.level <= gauge.clear_at:
            self._told.discard(name)

    async def _record(self, name: str, command: AlarmCommand) -> None:
        try:
            await self._dispatcher.send(Call(ALARMS, name, (command,)))
        except EventLogError:
            if isinstance(command, RaiseAlarm) and name not in self._told:
                self._told.add(name)
                at_ns = self._dispatcher.context.time.now_ns()
                self._tell(Happening(what=name, kind="alarm", id=name, why=command.reason, at_ns=at_ns))
            raise
