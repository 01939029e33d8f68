"""Other names of people: a question about Leo is a question about 王磊, where a fact says that they are one person."""

import re
from collections.abc import Callable, Iterator

from clawactors.memory.consolidation.facts.stated import is_han
from clawactors.memory.consolidation.predicate import ALIASES
from clawactors.memory.index.rows import with_terms
from clawactors.memory.index.terms import tag_term
from clawactors.memory.item import Item
from clawactors.memory.text.normal import fold
from clawactors.projections.engine.store import Reading

__all__ = ["names_of", "renamed"]

_VARIANTS = 3


def _pairs(reading: Reading, seen: Callable[[Item], bool]) -> Iterator[tuple[str, str]]:
    for predicate in sorted(ALIASES):
        for item in with_terms(reading, tag_term(predicate)):
            fact = item.content.fact
            if fact and not fact.negated and item.memory.status == "live" and seen(item):
                yield fact.subject, fact.object


def names_of(reading: Reading, name: str, seen: Callable[[Item], bool]) -> list[str]:
    """The name and the other names of the same person, as the facts say that may be `seen`."""
    pairs = list(_pairs(reading, seen))
    names = {fold(name): name}
    for _ in range(2):  # an alias of an alias
        for one, other in pairs:
            if fold(one) in names or fold(other) in names:
                names |= {fold(one): one, fold(other): other}
    return list(names.values())


def renamed(reading: Reading, text: str, seen: Callable[[Item], bool]) -> list[str]:
    """The question with other names for those that it uses, for each and for all, without the question itself."""
    found: dict[str, None] = {text: None}
    for one, other in _pairs(reading, seen):
        for name, instead in ((one, other), (other, one)):
            pattern = re.escape(name) if is_han(name) else rf"(?<!\w){re.escape(name)}(?!\w)"
            for asked in list(found)[:_VARIANTS]:
                # A name within its other one («Bo», «Bo Li») would grow with each step.
                if fold(instead) not in fold(asked):
                    found[instead.join(re.split(pattern, asked, flags=re.IGNORECASE))] = None
    return list(found)[1 : _VARIANTS + 1]
