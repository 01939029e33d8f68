"""What a question asks about time: the window of «what happened last Friday?», and whether it wants the first or the last."""

import re
from typing import Final, Literal

import msgspec

from clawactors.memory.text.calendar import DAY_NS, UTC, Zone, day_of, offset_ns
from clawactors.memory.text.date import mentions
from clawactors.memory.text.stopword import STOP_CHARACTERS, STOP_WORDS

__all__ = ["TimeAsked", "asked_order", "asked_time"]

_WIDEST_DAYS: Final = 62
"""A longer time is background, not what the question is about."""
_GENERAL: Final = frozenset(
    "happen happened happens happening go going went occur occurred event events news new say said says tell told talk talked discuss discussed note notes noted write"
    " wrote written remember remembered recall list show everything anything something thing things log logged record recorded day week month morning evening afternoon"
    " night time work worked up to since last past previous ago in on at during between know day's today today's yesterday's".split()
)
_HAN_GENERAL: Final = frozenset(
    "发生事情做干记录说聊谈过有些啥情况新闻工作东西件怎样如何回忆忙进展吗呢?？。！天日当时候内里间"
)
_WORD = re.compile(r"[^\W\d_]+(?:'\w+)?")
_FIRST = re.compile(
    r"\bfirst (?:time|ever|occurrence)\b|\bfirst\b(?! (?:name|of all|class|aid))|\bearliest\b|第一次|首次|最早|最初|头一次|头一回",
    re.IGNORECASE,
)
_LAST = re.compile(
    r"\b(?:most recent(?:ly)?|latest|newest)\b|\blast(?! (?:week|month|year|night|weekend|name|spring|summer|autumn|fall|winter|quarter|hour|mon|tue|wed|thu|fri|sat|sun|january|february|march|april"
    r"|may|june|july|august|september|october|november|december|few|couple|several|\d|two|three|four|five|six|seven|eight|nine|ten|long|forever))\b"
    r"|上一次|上次|上回|最后一次|最近一次|最近一回|最新",
    re.IGNORECASE,
)


class TimeAsked(msgspec.Struct, frozen=True):
    """The days that a question is about, as times in ns; `only`: it asks for nothing else."""

    since_ns: int
    until_ns: int
    only: bool


def asked_time(text: str, now_ns: int, zone: Zone = UTC, locale: str = "") -> TimeAsked | None:
    """The window that the question is about, None for a question without days or about days to come."""
    today = day_of(now_ns, zone)
    found = [(span, days) for span, days in mentions(text, today, locale) if days[1] - days[0] <= _WIDEST_DAYS]
    if len({days for _, days in found}) != 1:
        return None
    first, last = found[0][1]
    if first > today:
        return None
    offset = offset_ns(zone, now_ns)
    rest = text
    for (begin, end), _ in sorted(found, reverse=True):
        rest = rest[:begin] + " " + rest[end:]
    return TimeAsked(first * DAY_NS - offset, (last + 1) * DAY_NS - offset - 1, _is_general(rest))


def _is_general(rest: str) -> bool:
    words = [word.lower() for word in _WORD.findall(rest) if word.isascii()]
    signs = [sign for sign in rest if "\u3400" <= sign <= "\u9fff"]
    return all(word in STOP_WORDS or word in _GENERAL for word in words) and all(
        sign in STOP_CHARACTERS or sign in _HAN_GENERAL for sign in signs
    )


def asked_order(text: str) -> Literal["", "first", "last"]:
    """Whether the question wants the earliest or the latest of what answers it."""
    if _FIRST.search(text):
        return "first"
    return "last" if _LAST.search(text) else ""
