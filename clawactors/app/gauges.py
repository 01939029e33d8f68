"""What a control process measures: how far its views are behind the log, and the room on its disk."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from clawactors.app.datafolder import RESERVE_BYTES
from clawactors.eventlog import EventLog
from clawactors.runtime.control.alarms import AlarmGauge, Measured

__all__ = ["disk_gauge", "lag_gauge"]

_FULL: Final = 100.0
_RELIEF: Final = 4.0
"""Percent below its limit at which a disk is no longer too full."""


def lag_gauge(log: EventLog, position: Callable[[], int], most: int) -> AlarmGauge:
    """Commits that the views are behind the log: `most` of them, twice in a row."""

    async def measure() -> Measured:
        lag = max(0, (await log.head()).last_seq - position())
        return Measured(
            lag, f"the views are {lag:,} commits behind the log" if lag else "the views hold all of the log"
        )

    return AlarmGauge(name="lag", measure=measure, raise_at=most, clear_at=most / 10, times=2)


def disk_gauge(data: Path, trouble: Callable[[], str], most: int) -> AlarmGauge:
    """How full the disk of the data folder is, in percent, of which `most` is too much.

    `trouble`: why the server takes nothing more, or ''.
    """

    async def measure() -> Measured:
        if said := trouble():
            return Measured(_FULL, f"nothing can be stored: {said}")
        usage = await asyncio.to_thread(shutil.disk_usage, data)
        percent = 100.0 * (1 - usage.free / usage.total) if usage.total else 0.0
        level = _FULL if usage.free <= 4 * RESERVE_BYTES else percent
        return Measured(level, f"the disk of {data} is {percent:.0f} % full, {usage.free / 2**30:.1f} GiB are free")

    return AlarmGauge(name="disk", measure=measure, raise_at=most, clear_at=most - _RELIEF)
