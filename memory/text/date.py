"""Dates in texts: the time of a message (`parse_date`), and the days that a question mentions (`mentioned_days`)."""

import calendar
import datetime as dt
import re
from collections.abc import Iterator

__all__ = ["DAY_NS", "Days", "day_of", "mentioned_days", "parse_date"]

DAY_NS = 86_400_000_000_000

type Days = tuple[int, int]
"""First and last day, counted from 1970-01-01, both included."""

_ANY_CASE = re.IGNORECASE
_MONTHS = {name.lower(): nth for names in (calendar.month_name, calendar.month_abbr) for nth, name in enumerate(names)}
_MONTHS = {name: nth for name, nth in _MONTHS.items() if name} | {"sept": 9}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_HAN = "〇一二三四五六七八九"
_WEEKDAYS = {name.lower(): nth for nth, name in enumerate(calendar.day_name)}

_YMD = re.compile(r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})")
_HAN_YMD = re.compile(
    r"(?:(?P<y>\d{4})\s*年\s*)?(?P<m>\d{1,2}|十[一二]?|[一二三四五六七八九])\s*月(?:\s*(?P<d>\d{1,2}|[一二三四五六七八九十]{1,3})\s*[日号])?"
)
_DMY = re.compile(
    rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?\s+(?P<m>{_MONTH})\b\.?(?:,?\s+(?P<y>\d{{4}}))?", re.IGNORECASE
)
_MDY = re.compile(
    rf"\b(?P<m>{_MONTH})\b\.?(?:\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:))?(?:,?\s+(?P<y>\d{{4}}))?", re.IGNORECASE
)
_YEAR = re.compile(r"(?<![\d.])(?:19|20)\d\d(?![\d.])")
_CLOCK = re.compile(r"\b(\d{1,2}):(\d\d)(?::(\d\d))?\s*([ap])?\.?m?", _ANY_CASE)
_AGO = re.compile(
    r"\b(?:last|past)\s+(\d+)?\s*(day|week|month|hour)s?\b|\b(\d+)\s+(day|week|month|year)s?\s+ago\b", re.IGNORECASE
)
_WEEKDAY = re.compile(r"\b(?:last|on|this)\s+(" + "|".join(_WEEKDAYS) + r")\b", _ANY_CASE)
_RELATIVE: tuple[tuple[str, int, int], ...] = (
    (r"\btoday\b|\btonight\b|今天|今晚", 0, 0),
    (r"\byesterday\b|\blast night\b|昨天|昨晚", -1, -1),
    (r"\bday before yesterday\b|前天", -2, -2),
    (r"\btomorrow\b|明天", 1, 1),
    (r"\bthis week\b|这周|本周|这个星期", -6, 0),
    (r"上周|上个星期|上星期", -13, -6),
    (r"\bthis month\b|这个月|本月|最近一个月", -30, 0),
    (r"上个月", -61, -28),
)
_LAST_YEAR = re.compile(r"\blast year\b|去年", _ANY_CASE)
_BEFORE_MONTH = re.compile(
    r"\b(?:in|of|since|during|by|until|till|from|last|this|early|late|mid|before|after)\s+$", re.IGNORECASE
)
_SPAN_DAYS = {"hour": 1, "day": 1, "week": 7, "month": 31, "year": 365}
_NS = 1_000_000_000


def day_of(at_ns: int) -> int:
    """The day, counted from 1970-01-01 in UTC."""
    return at_ns // DAY_NS


def parse_date(text: str) -> int:
    """The time of a date such as `2023-05-08 13:56`, `1:56 pm on 8 May, 2023` or `2023年5月8日`, 0 if there is none.

    Unit: ns since 1970; UTC if the text names no time zone.
    """
    try:
        stamp = dt.datetime.fromisoformat(text.strip())
        return round(stamp.replace(tzinfo=stamp.tzinfo or dt.UTC).timestamp()) * _NS
    except (ValueError, OverflowError):
        pass
    for pattern in (_YMD, _HAN_YMD, _DMY, _MDY):
        for match in pattern.finditer(text):
            day = _date(match)
            if day is not None and match["y"]:
                return (day.toordinal() - _EPOCH) * DAY_NS + _seconds(text) * _NS
    return 0


def mentioned_days(text: str, today: int) -> list[Days]:
    """The days that the text mentions; `today` is the reference for words like «yesterday»."""
    return list(dict.fromkeys(_mentioned(text, today)))


def _mentioned(text: str, today: int) -> Iterator[Days]:
    covered: list[tuple[int, int]] = []
    year_now = dt.date.fromordinal(max(today + _EPOCH, 1)).year
    for pattern in (_YMD, _HAN_YMD, _DMY, _MDY):
        for match in pattern.finditer(text):
            if any(match.start() < end and start < match.end() for start, end in covered):
                continue
            if pattern is _MDY and not (match["d"] or match["y"]) and not _names_month(text, match):
                continue
            if span := _span(match, year_now, today):
                covered.append(match.span())
                yield span
    if _LAST_YEAR.search(text):
        yield _year(year_now - 1)
    for match in _YEAR.finditer(text):
        if not any(match.start() < end and start < match.end() for start, end in covered):
            yield _year(int(match.group()))
    for match in _AGO.finditer(text):
        if match[4]:
            middle, width = int(match[3]) * _SPAN_DAYS[match[4].lower()], _SPAN_DAYS[match[4].lower()] // 2
            yield today - min(middle + width, 200_000), today - min(middle - width, 200_000)
        else:
            days = min(int(match[1] or 1) * _SPAN_DAYS[match[2].lower()], 200_000)
            yield today - days - (0 if match[1] else days), today
    for match in _WEEKDAY.finditer(text):
        back = (dt.date.fromordinal(max(today + _EPOCH, 1)).weekday() - _WEEKDAYS[match[1].lower()]) % 7 or 7
        yield today - back, today - back
    for words, first, last in _RELATIVE:
        if re.search(words, text, _ANY_CASE):
            yield today + first, today + last


_EPOCH = dt.date(1970, 1, 1).toordinal()


def _year(year: int) -> Days:
    return dt.date(year, 1, 1).toordinal() - _EPOCH, dt.date(year, 12, 31).toordinal() - _EPOCH


def _names_month(text: str, match: re.Match[str]) -> bool:
    """«may» and «march» without a day or a year are usually verbs."""
    verb = match["m"].lower() in ("may", "march")
    return not verb or (match["m"][0].isupper() and _BEFORE_MONTH.search(text[: match.start()]) is not None)


def _number(text: str) -> int:
    """A number below 100 in Arabic or Chinese digits."""
    if text.isdigit():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    return (10 * (_HAN.find(tens) if tens else 1) if ten else 0) + (_HAN.find(ones) if ones else 0)


def _month(text: str) -> int:
    return _MONTHS.get(text.lower()) or _number(text)


def _date(match: re.Match[str]) -> dt.date | None:
    try:
        return dt.date(int(match["y"] or 1972), _month(match["m"]), _number(match["d"] or "1"))
    except ValueError:
        return None


def _span(match: re.Match[str], year_now: int, today: int) -> Days | None:
    """The day or the month that the text names; without a year, the most recent one."""
    day = _date(match)
    if day is None:
        return None
    if not match["y"]:
        day = day.replace(year=year_now, day=min(day.day, 28) if day.month == 2 else day.day)
        if day.toordinal() - _EPOCH > today:
            day = day.replace(year=year_now - 1)
    first = day.toordinal() - _EPOCH
    return (first, first) if match["d"] else (first, first + calendar.monthrange(day.year, day.month)[1] - 1)


def _seconds(text: str) -> int:
    clock = _CLOCK.search(text)
    if clock is None:
        return 0
    hour = int(clock[1]) % 24
    if clock[4]:
        hour = hour % 12 + (12 if clock[4].lower() == "p" else 0)
    return hour * 3600 + min(int(clock[2]), 59) * 60 + int(clock[3] or 0)
