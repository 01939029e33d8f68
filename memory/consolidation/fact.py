"""The facts that a memory states: statements with whose they are, how sure they are, and since when they hold."""

import re
from collections.abc import Iterator
from typing import Final

from clawactors.memory.consolidation.facts.stated import Stated
from clawactors.memory.text.date import ANYWHERE, DAY_NS, DateReader, day_of, days_before
from clawactors.systems.memories import Content, Fact

__all__ = ["facts_in"]

_CASUAL: Final = frozenset(("likes", "drinks", "eats", "uses", "plays", "learns"))
"""Statements of taste and habit are casual; statements about a job or a home are reliable."""

_OTHER = re.compile(r"(?:,|;|,? \b(?:and|but|so|then|because)\b) (?=(?:i|we|he|she|they)\b)", re.IGNORECASE)


def facts_in(content: Content, dates: DateReader = ANYWHERE) -> Iterator[Fact]:
    """The facts that a memory states; «I» is its speaker, else its owner. `dates`: how its owner means dates."""
    from clawactors.memory.consolidation.facts.reading import read_statements  # patterns that take a while to compile

    for one, sentence in read_statements(content.text, content.speaker or content.owner):
        if one.subject:
            yield _fact(one, sentence, content.happened_ns, dates)


def _fact(one: Stated, sentence: str, at_ns: int, dates: DateReader) -> Fact:
    return Fact(
        subject=one.subject,
        predicate=one.predicate,
        object=one.object,
        negated=one.negated,
        exclusive=one.exclusive,
        confidence=0.6 if one.predicate in _CASUAL else 0.8,
        valid_from_ns=_since(_clause(sentence, one.object), at_ns, dates) if one.event else at_ns,
    )


def _clause(sentence: str, thing: str) -> str:
    """The part of the sentence that tells of the thing: another one, with a subject of its own, has its own date."""
    parts = _OTHER.split(sentence)
    return next((part for part in parts if thing in part), parts[0])


def _since(sentence: str, at_ns: int, dates: DateReader) -> int:
    """When the event of the sentence happened, as far as it says: «I moved to Graz two weeks ago»."""
    today = day_of(at_ns, dates.zone)
    days = days_before(sentence, today, dates.locale)
    return at_ns - (today - days[-1][1]) * DAY_NS if days else at_ns
