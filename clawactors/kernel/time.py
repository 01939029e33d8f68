"""Points in time, durations and time zones, as people, scripts and servers write and read them."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

__all__ = [
    "LONGEST_S",
    "Place",
    "ago_ns",
    "duration_s",
    "iso",
    "place_of",
    "retry_after_s",
    "time_ns",
    "time_through",
    "time_zone",
]

type Place = tuple[str, int]
"""A moment of the log: `("seq", n)`, `("time", ns)` or `("ago", ns)`."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_DURATION = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)
LONGEST_S: Final = 100 * 365 * 86400.0
"""A hundred years: no duration is longer."""
_SECOND = timedelta(seconds=1)
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _SECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _SECOND


@lru_cache(maxsize=4096)  # several times of a task are often one, and a row has eight of them
def iso(at_ns: int) -> str | None:
    """ISO 8601 in UTC with its zone; None for 0, which means never. What no calendar holds becomes its nearest end."""
    if at_ns == 0:
        return None
    return f"{_to_the_second(at_ns // 1_000_000_000)}.{at_ns % 1_000_000_000 // 1000:06d}+00:00"


@lru_cache(maxsize=4096)  # rows of one list lie close together, and the calendar is slow
def _to_the_second(second: int) -> str:
    return (_EPOCH + timedelta(seconds=min(max(second, _FIRST), _LAST))).isoformat()[:19]


def duration_s(text: str) -> float:
    """The seconds in `30s`, `1.5s`, `5m`, `2h`, `7d`, `250ms` or several of them, as in `1h30m`.

    Raises: `ValueError` with what is understood; a number without a unit is not.
    """
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a valid duration: write 30s, 5m, 2h or 7d")
    total = sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(text))
    if total > LONGEST_S:
        raise ValueError(f"{text[:40]!r} is longer than 100 years")
    return total


def ago_ns(text: str) -> int | None:
    """Nanoseconds of a time ago, as in `-2h` or `-1h30m`; None for any other text."""
    if text[:1] != "-":
        return None
    try:
        return int(duration_s(text[1:]) * 1e9)
    except ValueError:
        return None


def time_ns(text: str) -> int:
    """Nanoseconds since 1970 of an ISO 8601 time with its zone, as in `2026-05-01T09:00:00+02:00` or `…Z`.

    The zone may also be a name, as in `2026-05-01T09:00[Europe/Berlin]`.
    Raises: `ValueError` with what is understood; a time without a zone means another moment on each machine.
    """
    written, bracket, name = text.partition("[")
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a valid time: write 2026-05-01T09:00:00Z") from None
    if bracket:
        if (zone := time_zone(name.removesuffix("]"))) is None or name[-1:] != "]":
            raise ValueError(f"{text[:60]!r} names no time zone: write 2026-05-01T09:00[Europe/Berlin]")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
    if moment.tzinfo is None:
        raise ValueError(f"{text[:40]!r} has no zone: end it with Z or an offset such as +02:00")
    # `timestamp()` is a float, which is too coarse for nanoseconds.
    whole = moment.replace(microsecond=0)
    return int(whole.timestamp()) * 1_000_000_000 + moment.microsecond * 1000


def time_through(text: str) -> int:
    """The end of that microsecond: what is shown with that time is within it. Raises: `ValueError`."""
    return time_ns(text) + 999


def place_of(text: str) -> Place:
    """The moment that is meant by `4711`, `2026-05-01T09:00:00Z` or `-2h`. Raises: `ValueError`."""
    if text.isascii() and text.isdigit():
        return "seq", int(text)
    return ("time", time_through(text)) if (ago := ago_ns(text)) is None else ("ago", ago)


@lru_cache(maxsize=256)
def time_zone(name: str) -> "ZoneInfo | None":
    """The zone of that name in the IANA database, as in `Europe/Berlin`; None where it has none."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return None


def retry_after_s(told: str, now: datetime | str) -> float:
    """How long `Retry-After` asks to wait: seconds, or a date; 0 for nothing that can be read.

    `now` is the time here, or the server's own as its `Date` header has it, '' where it has none.
    """
    if told.isascii() and told.replace(".", "", 1).isdigit():
        return float(told[:6])
    try:
        wait = _http_date(told) - (_http_date(now) if isinstance(now, str) else now)
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return max(0.0, wait.total_seconds())


def _http_date(text: str) -> datetime:
    from email.utils import parsedate_to_datetime  # slow to import, and rarely needed

    moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
