"""When two memories say the same, and when two facts can't both hold."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, Literal

from clawactors.memory.consolidation.fact import SINGLE
from clawactors.memory.index.item import asks
from clawactors.memory.text.normal import fold
from clawactors.systems.memories import Content, Fact

__all__ = ["contradicts", "fingerprint", "likeness", "same_fact"]

_NEAR: Final = 0.8
_SIGN = re.compile(r"[\W_]+")
_HAN_UNIT = "[^\u4e00-\u9fff]|[个只岁年月日点次万千块元天人]"
_NUMBER = re.compile(rf"\d+(?:[.,]\d+)*|[一二两三四五六七八九十百千万]+(?={_HAN_UNIT})")
_NEGATION = re.compile(r"\b(?:not|no|never|without|none|cannot)\b|n't\b|[不没未无别]")

type Terms = Callable[[str], Iterable[str]]


def fingerprint(text: str) -> str:
    """The text without spelling: equal for texts that differ in case, width, spaces or punctuation only."""
    return _SIGN.sub("", fold(text))


def likeness(one: Content, other: Content, terms: Terms) -> Literal["", "exact", "near"]:
    """Whether two memories say the same.

    Near only where numbers, negation, speaker and slot (what a fact is about) agree: those change the meaning of
    texts that share nearly all their words.
    """
    if (one.kind, one.owner, one.speaker) != (other.kind, other.owner, other.speaker):
        return ""
    if _slot(one.fact) != _slot(other.fact):
        return ""
    if fingerprint(one.text) == fingerprint(other.text) != "":
        return "exact"
    if _numbers(one.text) != _numbers(other.text) or _negations(one.text) != _negations(other.text):
        return ""
    if asks(one.text) != asks(other.text):
        return ""
    left, right = set(terms(one.text)), set(terms(other.text))
    return "near" if left and right and len(left & right) >= _NEAR * len(left | right) else ""


def _slot(fact: Fact | None) -> tuple[str, str, str, bool] | None:
    return (fold(fact.subject), fact.predicate, fold(fact.object), fact.negated) if fact else None


def _numbers(text: str) -> Counter[str]:
    return Counter(_NUMBER.findall(fold(text)))


def _negations(text: str) -> int:
    return len(_NEGATION.findall(fold(text))) % 2


def same_fact(one: Fact, other: Fact) -> bool:
    """Whether both state the same, whenever it was said."""
    return _slot(one) == _slot(other)


def contradicts(one: Fact, other: Fact) -> bool:
    """Whether both can't hold at one time."""
    if (fold(one.subject), one.predicate) != (fold(other.subject), other.predicate):
        return False
    if fold(one.object) == fold(other.object):
        return one.negated != other.negated
    single = one.predicate in SINGLE or one.predicate.startswith("favourite")
    return single and not one.negated and not other.negated
