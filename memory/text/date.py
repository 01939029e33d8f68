"""Dates in texts: the time of a message (`read_date`), and the days that a question mentions (`mentioned_days`)."""

import calendar
import datetime as dt
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import msgspec

from clawactors.memory.text.calendar import (
    DAY_NS,
    EPOCH,
    MONTH_NAMES,
    UTC,
    Zone,
    date_of,
    day_first,
    day_of,
    offset_ns,
    zone_named,
)
from clawactors.memory.text.relative import Days, relative_days

__all__ = [
    "ANYWHERE", "DAY_NS", "UTC", "DateReader", "Days", "Zone", "day_of", "days_before", "mentioned_days", "mentions", "offset_ns", "parse_date", "read_date",
    "zone_named",
]  # fmt: skip

_CACHED: Final = 256
_ANY_CASE = re.IGNORECASE
_YMD = re.compile(r"(?<![\d.])(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?![\d])")
_DOTS = re.compile(r"(?<![\d.])(?P<d>\d{1,2})\.\s?(?P<m>\d{1,2})\.\s?(?P<y>\d{4}|\d{2}(?!\d))(?!\d|\.\d)")
_SLASHES = re.compile(r"(?<![\d/])(?P<a>\d{1,2})/(?P<b>\d{1,2})/(?P<y>\d{4}|\d{2})(?![\d/])")
_HAN_YMD = re.compile(
    r"(?:(?P<y>\d{4})\s*年\s*)?(?P<m>\d{1,2}|十[一二]?|[一二三四五六七八九])\s*月(?!前|后|内)(?:\s*(?P<d>\d{1,2}|[一二三四五六七八九十]{1,3})\s*[日号])?"
)
_DMY = re.compile(
    rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)?(?:\s+of)?\s+(?P<m>{MONTH_NAMES})\b\.?(?:,?\s+(?P<y>\d{{4}}))?", _ANY_CASE
)
_MDY = re.compile(
    rf"\b(?P<m>{MONTH_NAMES})\b\.?(?:\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:))?(?:,?\s+(?P<y>\d{{4}}))?", _ANY_CASE
)
_PATTERNS: Final = (_YMD, _DOTS, _SLASHES, _HAN_YMD, _DMY, _MDY)
_YEAR = re.compile(r"(?<![\d.])(?:19|20)\d\d(?![\d.])")
_CLOCK = re.compile(r"\b(\d{1,2}):(\d\d)(?::(\d\d))?\s*([ap])?\.?m?", _ANY_CASE)
_BEFORE_MONTH = re.compile(
    r"\b(?:in|of|since|during|by|until|till|from|last|this|early|late|mid|before|after)\s+$", _ANY_CASE
)
_NS = 1_000_000_000


class DateReader(msgspec.Struct, frozen=True):
    """How dates are read: in which zone, where they name none, and by which locale `5/6/2026`."""

    zone: Zone = UTC
    locale: str = ""

    def time(self, text: str) -> int:
        """See `read_date`."""
        return read_date(text, self.zone, self.locale)

    def time_in(self, text: str) -> int:
        """See `parse_date`."""
        return parse_date(text, self.zone, self.locale)


ANYWHERE: Final = DateReader()
"""UTC, without a locale."""


def parse_date(text: str, zone: Zone = UTC, locale: str = "") -> int:
    """Like `read_date`, but 0 for what is no date."""
    try:
        return read_date(text, zone, locale)
    except ValueError:
        return 0


def read_date(text: str, zone: Zone = UTC, locale: str = "") -> int:
    """The time of a date such as `2023-05-08 13:56`, `1:56 pm on 8 May, 2023`, `05.06.2026` or `2023年5月8日`.

    In ns since 1970. `zone` is taken where the text names none; `locale` tells how to read `5/6/2026`.
    Raises: `ValueError` for a text that names no day, with what to do.
    """
    try:
        stamp = dt.datetime.fromisoformat(text.strip())
        return round(stamp.replace(tzinfo=stamp.tzinfo or zone).timestamp()) * _NS
    except (ValueError, OverflowError):
        pass
    month_last = day_first(locale)
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            day = date_of(match, month_last)
            if day is not None and match["y"]:
                local_ns = (day.toordinal() - EPOCH) * DAY_NS + _seconds(text) * _NS
                return local_ns - offset_ns(zone, local_ns)
    if _SLASHES.search(text):
        raise ValueError(f"the date {text.strip()[:40]!r} can be read in two ways: write it as YYYY-MM-DD")
    raise ValueError(f"the date {text.strip()[:40]!r} can't be read: write it as YYYY-MM-DD")


def mentioned_days(text: str, today: int, locale: str = "") -> list[Days]:
    """The days that the text mentions; `today` is the reference for words like «yesterday»."""
    return list(dict.fromkeys(days for _, days in mentions(text, today, locale)))


def days_before(text: str, today: int, locale: str = "") -> list[Days]:
    """The mentioned days that lie in the past: when something that is told may have happened."""
    return [(first, min(last, today)) for first, last in mentioned_days(text, today, locale) if first < today]


@lru_cache(_CACHED)
def mentions(text: str, today: int, locale: str = "") -> tuple[tuple[tuple[int, int], Days], ...]:
    """Where the text mentions days, and which."""
    return tuple(_mentions(text, today, locale))


def _mentions(text: str, today: int, locale: str) -> Iterator[tuple[tuple[int, int], Days]]:
    covered: list[tuple[int, int]] = []
    year_now = dt.date.fromordinal(max(today + EPOCH, 1)).year
    month_last = day_first(locale)
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            if any(match.start() < end and start < match.end() for start, end in covered):
                continue
            if pattern is _MDY and not (match["d"] or match["y"]) and not _names_month(text, match):
                continue
            if span := _span(match, year_now, today, month_last):
                covered.append(match.span())
                yield match.span(), span
    for match in _YEAR.finditer(text):
        if not any(match.start() < end and start < match.end() for start, end in covered):
            year = int(match.group())
            yield match.span(), (dt.date(year, 1, 1).toordinal() - EPOCH, dt.date(year, 12, 31).toordinal() - EPOCH)
    yield from relative_days(text, today)


def _names_month(text: str, match: re.Match[str]) -> bool:
    """«may» and «march» without a day or a year are usually verbs."""
    verb = match["m"].lower() in ("may", "march")
    return not verb or (match["m"][0].isupper() and _BEFORE_MONTH.search(text[: match.start()]) is not None)


def _span(match: re.Match[str], year_now: int, today: int, month_last: bool | None) -> Days | None:
    """The day or the month that the text names; without a year, the most recent one."""
    day = date_of(match, month_last)
    if day is None:
        return None
    if not match["y"]:
        day = day.replace(year=year_now, day=min(day.day, 28) if day.month == 2 else day.day)
        if day.toordinal() - EPOCH > today:
            day = day.replace(year=year_now - 1)
    first = day.toordinal() - EPOCH
    named = match.groupdict().get("d") or match.groupdict().get("a")
    return (first, first) if named else (first, first + calendar.monthrange(day.year, day.month)[1] - 1)


def _seconds(text: str) -> int:
    clock = _CLOCK.search(text)
    if clock is None:
        return 0
    hour = int(clock[1]) % 24
    if clock[4]:
        hour = hour % 12 + (12 if clock[4].lower() == "p" else 0)
    return hour * 3600 + min(int(clock[2]), 59) * 60 + int(clock[3] or 0)
