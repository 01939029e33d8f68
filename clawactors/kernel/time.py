"""Points in time and durations, as people and scripts write and read them."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

__all__ = ["duration_s", "iso", "time_ns"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_DURATION = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)
_LONGEST_S = 100 * 365 * 86400.0
_SECOND = timedelta(seconds=1)
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _SECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _SECOND


def iso(at_ns: int) -> str | None:
    """ISO 8601 in UTC with its zone; None for 0, which means never. What no calendar holds becomes its nearest end."""
    if at_ns == 0:
        return None
    second, ns = divmod(at_ns, 1_000_000_000)
    return f"{_to_the_second(min(max(second, _FIRST), _LAST))}.{ns // 1000:06d}+00:00"


@lru_cache(maxsize=4096)  # rows of one list lie close together, and the calendar is slow
def _to_the_second(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).isoformat()[:19]


def duration_s(text: str) -> float:
    """The seconds in `30s`, `1.5s`, `5m`, `2h`, `7d`, `250ms` or several of them, as in `1h30m`.

    Raises: `ValueError` with what is understood; a number without a unit is not.
    """
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a valid duration: write 30s, 5m, 2h or 7d")
    total = sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(text))
    if total > _LONGEST_S:
        raise ValueError(f"{text[:40]!r} is longer than 100 years")
    return total


def time_ns(text: str) -> int:
    """Nanoseconds since 1970 of an ISO 8601 time with its zone, as in `2026-05-01T09:00:00+02:00` or `…Z`.

    Raises: `ValueError` with what is understood; a time without a zone means another moment on each machine.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a valid time: write 2026-05-01T09:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text[:40]!r} has no zone: end it with Z or an offset such as +02:00")
    # `timestamp()` is a float, which is too coarse for nanoseconds.
    whole = moment.replace(microsecond=0)
    return int(whole.timestamp()) * 1_000_000_000 + moment.microsecond * 1000
