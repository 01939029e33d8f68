"""Decides whether two memories are duplicates, and whether two facts contradict each other."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, Literal

from clawactors.memory.consolidation.predicate import is_single
from clawactors.memory.text.normal import fold
from clawactors.memory.text.sentence import is_question
from clawactors.systems.memories import Content, Fact

__all__ = ["contradicts", "fingerprint", "likeness", "negations", "numbers", "same_fact"]

_NEAR: Final = 0.8
_SIGN = re.compile(r"[\W_]+")
_HAN_UNIT = "[^\u4e00-\u9fff]|[个只岁年月日点次万千块元天人]"
_NUMBER = re.compile(rf"\d+(?:[.,]\d+)*|[一二两三四五六七八九十百千万]+(?={_HAN_UNIT})")
_NEGATION = re.compile(r"\b(?:not|no|never|without|none|cannot)\b|n't\b|[不没未无别]")

type Terms = Callable[[str], Iterable[str]]


def fingerprint(text: str) -> str:
    """A normal form that ignores case, width, spaces and punctuation."""
    return _SIGN.sub("", fold(text))


def likeness(one: Content, other: Content, terms: Terms) -> Literal["", "exact", "near"]:
    """Whether two memories are duplicates: exact, near, or "" for no.

    Near duplicates must agree in numbers, negation, speaker and fact: these change the meaning of texts that share
    nearly all their words.
    """
    if (one.kind, one.owner, one.speaker) != (other.kind, other.owner, other.speaker):
        return ""
    if _identity(one.fact) != _identity(other.fact):
        return ""
    if fingerprint(one.text) == fingerprint(other.text) != "":
        return "exact"
    if numbers(one.text) != numbers(other.text) or negations(one.text) != negations(other.text):
        return ""
    if is_question(one.text) != is_question(other.text):
        return ""
    left, right = set(terms(one.text)), set(terms(other.text))
    return "near" if left and right and len(left & right) >= _NEAR * len(left | right) else ""


def _identity(fact: Fact | None) -> tuple[str, str, str, bool] | None:
    return (fold(fact.subject), fact.predicate, fold(fact.object), fact.negated) if fact else None


def numbers(text: str) -> Counter[str]:
    """The numbers in a text, in digits or in Chinese."""
    return Counter(_NUMBER.findall(fold(text)))


def negations(text: str) -> int:
    """1 for a text that negates, 0 for one that does not, or twice."""
    return len(_NEGATION.findall(fold(text))) % 2


def same_fact(one: Fact, other: Fact) -> bool:
    """Whether both facts state the same, at any time."""
    return _identity(one) == _identity(other)


def contradicts(earlier: Fact, later: Fact) -> bool:
    """Whether the later fact ends the earlier one: the two are never valid at the same time."""
    if (fold(earlier.subject), earlier.predicate) != (fold(later.subject), later.predicate):
        return False
    if fold(earlier.object) == fold(later.object):
        return earlier.negated != later.negated
    if earlier.negated:
        return earlier.exclusive and not later.negated
    return later.exclusive or (is_single(earlier.predicate) and not later.negated)
