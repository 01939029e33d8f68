"""What follows from facts: a small set of rules, applied forward whenever a fact is added.

| rule | from | follows |
| --- | --- | --- |
| symmetric | a *spouse* b | b *spouse* a; likewise fiance, sibling, friend, colleague, neighbour, flatmate, cousin |
| inverse | a *boss* b | b *manages* a; mother, father and parent give child, son, daughter and child give parent |
| type | a *sister* b | a *sibling* b; mother and father give parent, son and daughter give child; kinds of kinds |
| transitive | a *is in* b, b *is in* c | a *is in* c; likewise *is part of*, *is a kind of* |
| composed | a *lives in* b, b *is in* c | a *lives within* c; a *works as* b, b *is a kind of* c: a *works as a* c |

A conclusion is stored as inferred with its premises, is less sure than each of them, and ends with any of them.
"""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from clawactors.memory.text.normal import fold
from clawactors.systems.memories import Fact, Memory

__all__ = ["Conclusion", "conclusions"]

_SYMMETRIC: Final = frozenset("spouse fiance sibling friend colleague neighbour flatmate cousin".split())
_INVERSE: Final = {
    "boss": "manages", "manages": "boss", "parent": "child", "child": "parent", "mother": "child", "father": "child",
    "son": "parent", "daughter": "parent",
}  # fmt: skip
_TYPE: Final = {
    "sister": "sibling", "brother": "sibling", "mother": "parent", "father": "parent", "son": "child", "daughter": "child",
}  # fmt: skip
_CHAINS: Final = {
    ("is in", "is in"): "is in", ("is part of", "is part of"): "is part of", ("is part of", "is in"): "is in",
    ("is a kind of", "is a kind of"): "is a kind of", ("lives in", "is in"): "lives within",
    ("works at", "is in"): "works within", ("works at", "is part of"): "works within",
}  # fmt: skip
_LESS_SURE: Final = 0.9
_MOST: Final = 20

type FactsOf = Callable[[str, str], dict[str, Memory]]
"""Owner and name → the facts with this name as subject or object."""


class Conclusion(msgspec.Struct, frozen=True):
    """A fact that follows, the name of the rule, and the ids and sources of its premises."""

    fact: Fact
    rule: str
    premises: tuple[str, ...]
    sources: tuple[int, ...]


def conclusions(id: str, memory: Memory, facts_of: FactsOf) -> Iterator[Conclusion]:
    """What follows from this fact alone, and from it together with one other fact that holds."""
    content = memory.content
    if content is None or content.fact is None or content.fact.negated:
        return
    fact = content.fact
    if fact.predicate in _SYMMETRIC:
        yield _conclusion("symmetric", (id, memory), turned=True)
    elif fact.predicate in _INVERSE:
        yield _conclusion("inverse", (id, memory), predicate=_INVERSE[fact.predicate], turned=True)
    if fact.predicate in _TYPE:
        yield _conclusion("type", (id, memory), predicate=_TYPE[fact.predicate])
    yield from _chained(id, memory, fact, content.owner, facts_of)


def _chained(id: str, memory: Memory, fact: Fact, owner: str, facts_of: FactsOf) -> Iterator[Conclusion]:
    """Chains of this fact and another one, in either order."""
    if not any(fact.predicate in pair for pair in _CHAINS):
        return
    found = 0
    for name in dict.fromkeys((fact.object, fact.subject)):
        for other_id, other in sorted(facts_of(owner, name).items()):
            next_fact = other.content.fact if other.content and other.status == "live" else None
            if next_fact is None or next_fact.negated or other_id == id:
                continue
            for (one_id, one, first), (two_id, two, second) in (
                ((id, memory, fact), (other_id, other, next_fact)),
                ((other_id, other, next_fact), (id, memory, fact)),
            ):
                predicate = _CHAINS.get((first.predicate, second.predicate))
                joined = fold(first.object) == fold(second.subject) and fold(first.subject) != fold(second.object)
                if predicate and joined and found < _MOST:
                    found += 1
                    yield _conclusion("chain", (one_id, one), (two_id, two), predicate=predicate)


def _conclusion(rule: str, *premises: tuple[str, Memory], predicate: str = "", turned: bool = False) -> Conclusion:
    facts = [memory.content.fact for _, memory in premises if memory.content and memory.content.fact]
    sources = {seq for _, memory in premises if memory.content for seq in memory.content.sources}
    first, last = facts[0], facts[-1]
    confidence = _LESS_SURE
    for fact in facts:
        confidence *= fact.confidence
    conclusion = Fact(
        subject=last.object if turned else first.subject,
        predicate=predicate or first.predicate,
        object=first.subject if turned else last.object,
        inferred=True,
        confidence=round(confidence, 3),
        valid_from_ns=max(fact.valid_from_ns for fact in facts),
    )
    return Conclusion(conclusion, rule, tuple(id for id, _ in premises), tuple(sorted(sources)))
