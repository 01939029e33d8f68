"""Days by words that depend on today: «yesterday», «two days ago», «last Friday», 上周五, 三天前."""

import calendar
import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Final

from clawactors.memory.text.calendar import EPOCH, number_of

__all__ = ["Days", "relative_days"]

type Days = tuple[int, int]
"""First and last day, counted from 1970-01-01, both included."""

_ANY_CASE = re.IGNORECASE
_WEEKDAYS = {name.lower(): nth for nth, name in enumerate(calendar.day_name)}
_WEEKDAYS |= {name.lower(): nth for nth, name in enumerate(calendar.day_abbr)}
_HAN_WEEKDAYS = {name: nth for nth, name in enumerate("一二三四五六日")} | {"天": 6}
_NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "couple of": 2, "couple": 2, "few": 3, "several": 4,
}  # fmt: skip
_COUNT = rf"(?:\d{{1,4}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})"
_SPAN_DAYS: Final = {"minute": 0, "hour": 0, "day": 1, "night": 1, "week": 7, "fortnight": 14, "month": 31, "year": 365}
_HAN_SPANS: Final = {"分钟": 0, "小时": 0, "天": 1, "日": 1, "周": 7, "星期": 7, "礼拜": 7, "月": 31, "年": 365}
_FAR: Final = 200_000
_UNIT = r"(?P<unit>minute|hour|day|night|week|fortnight|month|year)s?"
_HAN_COUNT = r"(?P<n>\d{1,4}|[一二两三四五六七八九十几半]{1,3})个?(?P<unit>分钟|小时|天|日|周|星期|礼拜|月|年)"

type _Read = Callable[[re.Match[str], int], Days]


def _date(today: int) -> dt.date:
    return dt.date.fromordinal(min(max(today + EPOCH, 400), 3_600_000))


def _day(date: dt.date) -> int:
    return date.toordinal() - EPOCH


def _month(today: int, back: int) -> Days:
    date = _date(today)
    months = date.year * 12 + date.month - 1 - back
    year, month = max(months // 12, 1), months % 12 + 1
    first = dt.date(year, month, 1)
    return _day(first), _day(first) + calendar.monthrange(year, month)[1] - 1


def _year(today: int, back: int) -> Days:
    year = min(max(_date(today).year - back, 1), 9998)
    return _day(dt.date(year, 1, 1)), _day(dt.date(year, 12, 31))


def _week(today: int, back: int) -> Days:
    monday = today - _date(today).weekday() - 7 * back
    return monday, monday + 6


def _fixed(first: int, last: int) -> _Read:
    return lambda _, today: (today + first, today + last)


def _count(text: str) -> int:
    text = text.lower()
    if text in _NUMBERS:
        return _NUMBERS[text]
    if "几" in text:
        return 3
    return int(text) if text.isdigit() else number_of(text)


def _ago(match: re.Match[str], today: int) -> Days:
    """«Three weeks ago» is meant roughly, «two days ago» exactly."""
    unit = _SPAN_DAYS.get(match["unit"].lower(), _HAN_SPANS.get(match["unit"], 1))
    if "半" in match["n"]:
        middle, width = unit // 2, unit // 12
    else:
        vague = match["n"].lower() in ("few", "several", "几", "couple of", "couple")
        middle, width = _count(match["n"]) * unit, max(unit // 2, int(vague))
    return today - min(middle + width, _FAR), today - min(max(middle - width, 0), _FAR)


def _within(match: re.Match[str], today: int) -> Days:
    """«The last three weeks», 最近三天: until today."""
    unit = _SPAN_DAYS.get(match["unit"].lower(), _HAN_SPANS.get(match["unit"], 1))
    days = _count(match["n"] or "1") * unit
    if unit == 0:
        days = 1 if _count(match["n"] or "1") > 12 else 0
    return today - min(days, _FAR), today


def _weekday(match: re.Match[str], today: int) -> Days:
    wanted = _WEEKDAYS[match["weekday"].lower()]
    back = (_date(today).weekday() - wanted) % 7 or 7
    if (match["which"] or "").lower() == "this" and _date(today).weekday() == wanted:
        back = 0
    return today - back, today - back


def _han_weekday(match: re.Match[str], today: int) -> Days:
    weeks = {"上上": 2, "上": 1}.get(match["which"] or "", 0)
    day = _week(today, weeks)[0] + _HAN_WEEKDAYS[match["weekday"]]
    return (day, day) if weeks or match["which"] or day <= today else (day - 7, day - 7)


def _weekend(back: int) -> _Read:
    return lambda _, today: (_week(today, back)[0] + 5, _week(today, back)[0] + 6)


_RULES: Final[tuple[tuple[re.Pattern[str], _Read], ...]] = tuple(
    (re.compile(pattern, _ANY_CASE), read)
    for pattern, read in (
        (r"\b(?:the )?day before yesterday\b|(?<!大)前天(?:早上|晚上|上午|下午)?|(?<!大)前晚", _fixed(-2, -2)),
        (r"大前天", _fixed(-3, -3)),
        (r"\byesterday\b|\blast night\b|昨天(?:早上|晚上|上午|下午)?|昨晚|昨日", _fixed(-1, -1)),
        (r"\btoday\b|\btonight\b|\bthis (?:morning|afternoon|evening)\b|今天|今晚|今早|今日", _fixed(0, 0)),
        (r"\btomorrow\b|明天", _fixed(1, 1)),
        (r"后天", _fixed(2, 2)),
        (r"\bthe other day\b|前几天|前两天", _fixed(-7, -1)),
        (
            rf"\b(?:the )?(?:last|past|previous) (?:(?P<n>{_COUNT}) {_UNIT})\b|\b(?:the )?past (?P<n2>)(?P<unit2>week|month|year)\b",
            lambda match, today: _within(match, today) if match["unit"] else (today - _SPAN_DAYS[match["unit2"].lower()], today),
        ),
        (rf"\b(?:about |around |some |almost |over )?(?:a )?(?P<n>{_COUNT}) {_UNIT} ago\b", _ago),
        (rf"(?:过去|最近|近|前)(?:的)?这?{_HAN_COUNT}(?!前|以前|之前)(?:内|里|以来)?", _within),
        (rf"{_HAN_COUNT}(?:以前|之前|前)", _ago),
        (r"\blast hour\b|\bpast hour\b|最近一小时", _fixed(0, 0)),
        (r"\blast weekend\b|上个?周末|\bat the weekend\b|\bover the weekend\b", _weekend(1)),
        (r"\bthis weekend\b|这个?周末|本周末", _weekend(0)),
        (r"\bthe week before last\b|上上(?:个)?(?:周|星期|礼拜)(?![一二三四五六日天末])", lambda _, today: _week(today, 2)),
        (r"\blast week\b|\bprevious week\b|(?<!上)上(?:个)?(?:周|星期|礼拜)(?![一二三四五六日天末])", lambda _, today: _week(today, 1)),
        (r"\bthis week\b|(?:这|本)(?:个)?(?:周|星期|礼拜)(?![一二三四五六日天末])", lambda _, today: _week(today, 0)),
        (r"\bthe month before last\b|上上个?月", lambda _, today: _month(today, 2)),
        (r"\blast month\b|\bprevious month\b|(?<!上)上个?月", lambda _, today: _month(today, 1)),
        (r"\bthis month\b|这个月|本月", lambda _, today: _month(today, 0)),
        (r"\blast year\b|\bprevious year\b|去年", lambda _, today: _year(today, 1)),
        (r"前年", lambda _, today: _year(today, 2)),
        (r"\bthis year\b|今年", lambda _, today: _year(today, 0)),
        (r"\b(?P<which>last|on|this|since|previous|past)\s+(?P<weekday>" + "|".join(sorted(_WEEKDAYS, key=len, reverse=True)) + r")\b", _weekday),
        (r"(?P<which>上上|上|这|本)?(?:个)?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天])", _han_weekday),
    )
)  # fmt: skip


def relative_days(text: str, today: int) -> Iterator[tuple[tuple[int, int], Days]]:
    """Where the text has words for days relative to today, and which days they mean."""
    covered: list[tuple[int, int]] = []
    for pattern, read in _RULES:
        for match in pattern.finditer(text):
            if not any(match.start() < end and start < match.end() for start, end in covered):
                covered.append(match.span())
                yield match.span(), read(match, today)
