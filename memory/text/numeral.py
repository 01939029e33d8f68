# ruff: noqa: RUF001 - Chinese zero
"""Chinese numerals as digits: «三十天» and «30天» are one number."""

import re
from collections.abc import Iterator

__all__ = ["numbers"]

_DIGITS = {han: value for value, han in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_HAN = "".join((*_DIGITS, *_UNITS))
# A single numeral is a number only before a measure word, 一 only before one of time: 一样 and 一个 are none.
_MEASURES = "年月日号点时分秒天周岁个次位人名台条件张本层楼元块角度米里斤克吨页章期轮倍成季届杯瓶间套辆只"
_NUMERAL = re.compile(
    rf"(?P<tens>\d+(?:\.\d+)?)(?P<unit>[百千万亿]+)|[{_HAN}]{{2,}}|一(?=[年月日号点])"
    rf"|[{_HAN.replace('一', '')}](?=[{_MEASURES}])"
)


def numbers(text: str) -> Iterator[str]:
    """The numbers that a folded text writes in Chinese numerals, in decimal digits."""
    for match in _NUMERAL.finditer(text):
        if match["tens"]:
            value = float(match["tens"])
            for unit in match["unit"][:4]:
                value *= _UNITS[unit]
            yield f"{value:.0f}"
        elif (found := _value(match.group()[:24])) is not None:
            yield str(found)


def _value(han: str) -> int | None:
    """The value of a numeral such as 六千二 (6200), 十五 or 二〇二五."""
    if not any(sign in _UNITS for sign in han):
        return int("".join(str(_DIGITS[sign]) for sign in han))
    total = section = digit = 0
    last = 1
    for sign in han:
        if sign in _DIGITS:
            digit = _DIGITS[sign]
            last = 1 if sign in "零〇" else last
            continue
        unit = _UNITS[sign]
        if unit >= 10_000:
            total = (total + section + digit) * unit if total < unit else total + (section + digit) * unit
            section = 0
        else:
            section += (digit or 1) * unit
        digit, last = 0, unit
    return total + section + digit * (last // 10 if last > 10 else 1)
