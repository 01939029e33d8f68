"""Calendar dates in texts, in English and Chinese, by the habits of a locale; and time zones by name.

`05.06.2026` is 5 June everywhere. `5/6/2026` is 5 June in most of the world and May 6 in the United States; without a
locale it can't be read, unless one of the two numbers is above 12.
"""

import calendar
import datetime as dt
import re
from typing import Final

from clawactors.kernel.time import time_zone

__all__ = ["DAY_NS", "EPOCH", "MONTH_NAMES", "UTC", "Zone", "date_of", "day_first", "day_of", "offset_ns", "zone_named"]

type Zone = dt.tzinfo

UTC: Final[Zone] = dt.UTC
DAY_NS: Final = 86_400_000_000_000
EPOCH: Final = dt.date(1970, 1, 1).toordinal()
MONTHS = {name.lower(): nth for names in (calendar.month_name, calendar.month_abbr) for nth, name in enumerate(names)}
MONTHS = {name: nth for name, nth in MONTHS.items() if name} | {"sept": 9}
MONTH_NAMES: Final = "|".join(sorted(MONTHS, key=len, reverse=True))
"""Names and abbreviations of months, for a pattern."""

_HAN: Final = "〇一二三四五六七八九"
_MONTH_FIRST: Final = frozenset(("us", "ph", "fm", "mh", "pw", "as", "gu", "pr"))
_YEAR_FIRST: Final = frozenset(("zh", "ja", "ko", "hu", "lt", "mn", ""))


def zone_named(name: str) -> Zone:
    """The time zone with this name, as `Europe/Vienna` or `+02:00`; UTC for "". Raises: `ValueError`."""
    if not name or name.upper() in ("UTC", "Z"):
        return UTC
    if match := re.fullmatch(r"([+-])(\d{1,2}):?(\d\d)?", name):
        minutes = 60 * int(match[2]) + int(match[3] or 0)
        if minutes < 24 * 60:
            return dt.timezone(dt.timedelta(minutes=minutes if match[1] == "+" else -minutes))
    if (zone := time_zone(name)) is None:
        raise ValueError(f"unknown time zone {name[:64]!r}: give a name like Europe/Vienna or an offset")
    return zone


def offset_ns(zone: Zone, at_ns: int) -> int:
    """How far the zone's clocks are ahead of UTC at that time."""
    if zone is UTC:
        return 0
    try:
        offset = dt.datetime.fromtimestamp(at_ns // 1_000_000_000, zone).utcoffset()
    except (ValueError, OverflowError, OSError):
        return 0
    return round(offset.total_seconds()) * 1_000_000_000 if offset else 0


def day_of(at_ns: int, zone: Zone = UTC) -> int:
    """The day in that zone, counted from 1970-01-01."""
    return (at_ns + offset_ns(zone, at_ns)) // DAY_NS


def day_first(locale: str) -> bool | None:
    """Whether people of that locale (`en_GB`, `de`) write 5/6 for 5 June; None if the locale does not tell."""
    language, _, rest = locale.lower().replace("-", "_").partition("_")
    region = re.split(r"[.@_]", rest)[0]
    if region in _MONTH_FIRST:
        return False
    if language in _YEAR_FIRST or (language == "en" and not region) or language in ("c", "posix"):
        return None
    return True


def number_of(text: str) -> int:
    """A number below 100 in Arabic or Chinese digits."""
    if text.isdigit():
        return int(text)
    text = text.replace("两", "二")
    tens, ten, ones = text.rpartition("十")
    return (10 * (_HAN.find(tens) if tens else 1) if ten else 0) + (_HAN.find(ones) if ones else 0)


def date_of(match: re.Match[str], month_last: bool | None = None) -> dt.date | None:
    """The date of a match with the groups `y`, `m`, `d`, or `a`, `b` for two numbers in the order of a locale."""
    groups = match.groupdict()
    year = int(groups["y"] or 1972)
    if year < 100:
        year += 2000 if year < 70 else 1900
    if groups.get("a"):
        first, second = int(groups["a"]), int(groups["b"])
        if month_last is None and first <= 12 and second <= 12 and first != second:
            return None
        day, month = (first, second) if (month_last or first > 12) and second <= 12 else (second, first)
    else:
        month = MONTHS.get(groups["m"].lower()) or number_of(groups["m"])
        day = number_of(groups["d"] or "1")
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None
