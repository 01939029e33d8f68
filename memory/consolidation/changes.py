"""What a message says was changed: a thing and its new value, in whatever words the thing was told before.

«The dentist moved my appointment to 10 December» and «房租涨到 4600 元了» change what «My dentist appointment is on
3 December» and «房租每个月 4200 元» said. A claim needs the same slot; a change needs the same thing and a value of the same kind.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import msgspec

from clawactors.memory.consolidation.facts.framing import earnest, is_plan
from clawactors.memory.consolidation.facts.stated import is_han
from clawactors.memory.text.normal import fold

__all__ = ["NAME", "ToldChange", "changes_in", "values_of"]

_LONGEST: Final = 400
_CACHED: Final = 4096

_VERB = (
    r"(?:changed|moved|shifted|rescheduled|postponed|pushed|put|brought|raised|lowered|increased|decreased|reduced|cut|switched|reset|set|updated"
    r"|upgraded|bumped|renamed|extended|shortened|transferred)"
)
_GOES = (
    r"(?:went|rose|fell|dropped|grew|climbed|increased|decreased|changed|moved|shifted|(?:has|have|had|was|were|is|are|got)(?: now| just| been)* "
    + _VERB
    + ")"
)
_OWN = r"(?:(?:the|our|my|his|her|their|its|your) )?"
_AWAY = r"(?: (?:up|down|back|forward|out|over|on))?"
_FROM = r"(?: from [^;]{1,40}?)?"
_WHO = r"[^,;:.!?]{1,40}?"
_THING = r"(?P<thing>(?!from\b)[^,;:.!?]{2,50}?)"
_BEGINS = r"^(?:and |so |then |also |today |yesterday |update: |now )*"
_TO = r"(?:to|until|till|as)"
_ENGLISH: Final = (
    re.compile(rf"{_BEGINS}{_WHO} {_VERB}{_AWAY} {_OWN}{_THING}{_AWAY}{_FROM} {_TO} (?P<value>.+)$", re.IGNORECASE),
    re.compile(rf"{_BEGINS}{_OWN}{_THING} {_GOES}{_AWAY}{_FROM} {_TO} (?P<value>.+)$", re.IGNORECASE),
    re.compile(
        rf"{_BEGINS}{_WHO} {_VERB} {_OWN}{_THING}(?: again| today| yesterday)?[,;.:]? (?:and |so )?(?:it's|it is|it's now|now it's|the new one is|is now|to) "
        r"(?P<value>.+)$",
        re.IGNORECASE,
    ),
)
_HAN_VERB = (
    r"(?:更?改|换|变|调|调整|挪|移|推迟|延后|延期|提前|改期|升级?|降|涨|上涨|下调|上调|提高|减少|增加|缩短|延长)"
)
_HAN_TO = r"(?:到了?|成了?|为了?|至)"
_HAN_VALUE = r"(?P<value>[^，,。；;!！?？]{1,40})"
_HAN: Final = (
    re.compile(
        rf"把(?P<thing>[^，,。；;从]{{1,16}}?)(?:从[^，,。；;]{{1,16}}?)?(?:又|再|都)?{_HAN_VERB}{_HAN_TO}{_HAN_VALUE}"
    ),
    re.compile(
        rf"^(?P<thing>[^，,。；;:：是从把]{{1,16}}?)(?:从[^，,。；;]{{1,16}}?)?(?:已经|现在|今天|又|再|也|都|被)*{_HAN_VERB}{_HAN_TO}{_HAN_VALUE}"
    ),
)
_SIGN = re.compile(rf"\b(?:{_VERB}|went|rose|fell|dropped|grew|climbed)\b|{_HAN_VERB}{_HAN_TO}", re.IGNORECASE)
"""A text without it needs no further look."""
_WORDS: Final = frozenset(re.findall(r"[a-z]+", _VERB)) | {"went", "rose", "fell", "dropped", "grew", "climbed"}

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DIGIT = r"[\d一二两三四五六七八九十百千万半]"
_KINDS: Final = {
    "date": re.compile(
        rf"\d{{4}}-\d\d-\d\d|\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}\b(?:,? \d{{4}})?|\b{_MONTH} \d{{1,2}}\b(?:,? \d{{4}})?|(?:\d{{4}}年)?{_DIGIT}{{1,3}}月{_DIGIT}{{1,3}}[日号]|{_DIGIT}{{1,3}}[日号]"
    ),
    "weekday": re.compile(r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day(?=s?\b)|(?:周|星期|礼拜)[一二三四五六日天]"),
    "time": re.compile(
        rf"\b\d{{1,2}}:\d\d\b|\b\d{{1,2}} ?[ap]\.?m\b|\bnoon\b|\bmidnight\b|{_DIGIT}{{1,3}}[点點時时]半?"
    ),
}
_AMOUNT = re.compile(r"(?P<sign>[$€£¥])? ?(?P<figure>\d[\d.,]*)(?: ?(?P<unit>%|[a-z]+|[\u4e00-\u9fff]))?")
_CODE = re.compile(
    r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[a-z\-_])[a-z0-9][\w-]{2,}(?![\w-])|(?<![\w.,:$€£¥-])\d{3,}(?![\w%,:-])(?! ?[a-z\u4e00-\u9fff])"
)
_UNITS: Final = {
    "pound": "£",
    "euro": "€",
    "dollar": "$",
    "元": "¥",
    "块": "¥",
    "钱": "¥",
    "eur": "€",
    "gbp": "£",
    "usd": "$",
}
_NO_UNIT: Final = frozenset(
    "了 的 吧 啊 because so a an the and or of in on at to for with by from as is was st nd rd th m am pm now".split()
)


NAME: Final = "name"
_NAME = re.compile(
    r"(?P<name>[A-Z][\w'&-]*(?: [A-Z][\w'&-]*){0,3}|[\u4e00-\u9fff\w]{2,8}?)(?=了?[。.!！]?$|,|;| for | from )"
)


class ToldChange(msgspec.Struct, frozen=True):
    """The words for the thing, and the new values by kind; a `NAME` only where there is no other value."""

    thing: str
    values: dict[str, frozenset[str]]


def changes_in(text: str) -> tuple[ToldChange, ...]:
    """What the text says in earnest was changed."""
    return _changes(text) if len(text) <= _LONGEST and _may_tell(text) else ()


def _may_tell(text: str) -> bool:
    if text.isascii():
        return not _WORDS.isdisjoint(text.lower().split())
    return _SIGN.search(text) is not None


@lru_cache(_CACHED)
def _changes(text: str) -> tuple[ToldChange, ...]:
    said = earnest(text, lambda sentence: next(_in(sentence), None) is not None)
    return tuple(change for sentence in said if not is_plan(sentence) for change in _in(sentence))


def _in(sentence: str) -> Iterator[ToldChange]:
    for pattern in _HAN if is_han(sentence) else _ENGLISH:
        match = pattern.search(sentence)
        if match and (values := values_of(match["value"]) or _name_in(match["value"])):
            yield ToldChange(match["thing"].strip(), values)
            return


def _name_in(value: str) -> dict[str, frozenset[str]]:
    match = _NAME.match(value)
    return {NAME: frozenset((fold(match["name"]),))} if match else {}


@lru_cache(_CACHED)
def values_of(text: str) -> dict[str, frozenset[str]]:
    """The values of a text by kind: dates, weekdays, times, codes, and amounts by their unit."""
    folded = fold(text)
    found: dict[str, set[str]] = {}
    rest = folded
    for kind, pattern in _KINDS.items():
        for match in pattern.finditer(folded):
            found.setdefault(kind, set()).add(
                re.sub(r"(?<=\d)(?:st|nd|rd|th)| of(?= )|,? \d{4}$|^\d{4}年", "", match.group())
            )
        rest = pattern.sub(" ; ", rest)
    for match in _CODE.finditer(rest):
        found.setdefault("code", set()).add(match.group())
    for match in _AMOUNT.finditer(_CODE.sub(" ; ", rest)):
        figure, unit = match["figure"].rstrip(".,").replace(",", ""), match["sign"] or match["unit"] or ""
        unit = _UNITS.get(unit.removesuffix("s"), unit.removesuffix("s"))
        if unit and unit not in _NO_UNIT:
            found.setdefault(f"amount {unit}", set()).add(figure)
        elif len(figure) > 2:
            found.setdefault("code", set()).add(figure)
    return {kind: frozenset(values) for kind, values in found.items()}
