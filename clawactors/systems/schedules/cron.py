"""What a cron line means: the times of it in a zone, as Debian's cron has them where clocks are put forward or back.

1. Times are whole seconds; `after` gives the first one behind a moment, `until` the last one not behind it.
2. A line has five fields. A sixth, for seconds, is refused: one more star would make a task a second. Schedules that
   older releases recorded with one go on.
3. A time that clocks skip comes right after the gap, one that they show twice comes once; lines with `*` hours go by
   the hours that really pass.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from clawactors.kernel.errors import Refused
from clawactors.kernel.time import time_zone

__all__ = ["after", "checked", "until"]

_NAMED: Final[Mapping[str, str]] = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_LONGEST: Final = 200
_FIVE: Final = "write five: minute, hour, day, month, weekday, as in '0 9 * * MON-FRI'"
_SECOND_NS: Final = 1_000_000_000
_LAST_NS: Final = 1 << 63


def checked(line: str, zone: str, now_ns: int) -> None:
    """Raises `Refused` for a cron line that is not valid or never fires, and for an unknown zone."""
    _zone(zone)
    if len(line) > _LONGEST:
        raise Refused(f"a cron line has at most {_LONGEST} characters, not {len(line)}: {_FIVE}")
    fields = len(line.split())
    if fields == 6:
        raise Refused(
            f"{line!r} is not a valid cron line: it has 6 fields; {_FIVE}. A schedule fires once a minute at most; "
            "for shorter intervals, let one task loop over task.sleep()"
        )
    try:
        first = after(line, zone, now_ns)
    except CronSimError as error:
        raise Refused(f"{line!r} is not a valid cron line: {_said(error, fields)}") from None
    if not first:
        raise Refused(f"the cron line {line!r} never fires")


def after(line: str, zone: str, moment_ns: int) -> int:
    """The first time behind the moment, ns since 1970; 0 where none comes within fifty years."""
    return _first(line, _local(zone, moment_ns // _SECOND_NS), reverse=False)


def until(line: str, zone: str, moment_ns: int) -> int:
    """The last time not behind the moment, ns since 1970; 0 where there was none within fifty years."""
    return _first(line, _local(zone, moment_ns // _SECOND_NS + 1), reverse=True)


class _Times(CronSim):
    """Counts by hours that pass: where clocks were moved by half of one, it must come back to the hour's own ends."""

    def advance_hour(self) -> bool:
        moved = super().advance_hour()
        if moved:
            self._move_to(minute=0)
        return moved

    def reverse_hour(self) -> bool:
        moved = super().reverse_hour()
        if moved:
            self._move_to(minute=59)
        return moved

    def _move_to(self, minute: int) -> None:
        end = self.dt.replace(minute=minute)
        if end.tzinfo is None or end.astimezone(UTC).astimezone(end.tzinfo).minute == minute:  # else clocks skip it
            self.dt = end


def _first(line: str, moment: datetime, *, reverse: bool) -> int:
    try:
        found = next(_Times(_NAMED.get(line.strip().lower(), line), moment, reverse=reverse))
    except (StopIteration, OverflowError):
        return 0
    at_ns = int(found.timestamp()) * _SECOND_NS
    return at_ns if 0 < at_ns < _LAST_NS else 0


def _local(zone: str, second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC).astimezone(_zone(zone))


def _zone(name: str) -> ZoneInfo:
    if (zone := time_zone(name)) is None:
        raise Refused(f"{name[:60]!r} is not a valid time zone: write one as in 'Europe/Berlin' or 'UTC'")
    return zone


def _said(error: CronSimError, fields: int) -> str:
    if fields != 5:
        return f"it has {fields} fields; {_FIVE}"
    return f"{str(error)[:1].lower()}{str(error)[1:]}"
