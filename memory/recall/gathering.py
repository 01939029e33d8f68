"""Gathers the evidence for a question: what a search finds, each thing said once.

1. What holds now comes before what held once.
2. Of what says the same the first is kept, and names the others. A summary or a piece of knowledge stands for the
   memories that it was derived from, where it says what they say; where they say more, both are kept.
3. Numbers and negations always count as a difference, and so does the order of words.
"""

from collections.abc import Callable, Iterable, Sequence
from difflib import SequenceMatcher
from typing import Final

import msgspec

from clawactors.kernel.time import iso
from clawactors.memory.consolidation.likeness import fingerprint, negations, numbers
from clawactors.memory.item import Item
from clawactors.memory.recall.hit import Hit
from clawactors.memory.text.sentence import is_question
from clawactors.runtime.packing import ContextItem

__all__ = ["ContextCandidate", "gathered", "item_of"]

_DATES_MAX: Final = 3
_COVERED: Final = 0.9
_DERIVED_COVERED: Final = 0.8
_IN_ORDER: Final = 0.85

type Terms = Callable[[str], Sequence[str]]


class ContextCandidate(msgspec.Struct, frozen=True):
    """A hit with the memory that it shows."""

    hit: Hit
    item: Item

    @property
    def past(self) -> bool:
        """True for what holds no longer."""
        return self.hit.superseded_by != "" or self.item.memory.status == "superseded"

    @property
    def is_history(self) -> bool:
        """True for what a task went through: it may quote what somebody said, and does not say it."""
        content = self.item.content
        return content.origin == "task" and content.session != ""


class _ComparedText:
    """A text as it is compared."""

    def __init__(self, text: str, terms: Terms) -> None:
        self.print = fingerprint(text)
        self.terms = terms(text)
        self.set = frozenset(self.terms)
        self.numbers, self.negated, self.asks = numbers(text), negations(text), is_question(text)

    def says(self, other: "_ComparedText", *, derived: bool) -> bool:
        """True if this text says all that the other one says; `derived`: it was made of the other one."""
        if self.print == other.print != "":
            return True
        # The shared words come first: they are compared in no time, and seldom enough.
        if len(other.set & self.set) < max((_DERIVED_COVERED if derived else _COVERED) * len(other.set), 1):
            return False
        if other.numbers - self.numbers or (self.negated, self.asks) != (other.negated, other.asks):
            return False
        return derived or self._in_order(other) >= _IN_ORDER * len(other.terms)

    def _in_order(self, other: "_ComparedText") -> int:
        matcher = SequenceMatcher(None, other.terms, self.terms, autojunk=False)
        return sum(block.size for block in matcher.get_matching_blocks())


def gathered(candidates: Iterable[ContextCandidate], terms: Terms) -> list[ContextItem]:
    """The evidence in the order to read it in; `candidates` come best first."""
    ordered = sorted(candidates, key=lambda one: one.past)
    statements = [_ComparedText(one.item.content.text, terms) for one in ordered]
    kept: list[int] = []
    by: dict[int, list[int]] = {}
    """What stands for others, with what it stands for."""
    for at, candidate in enumerate(ordered):
        instead = next((one for one in kept if _stands_for(ordered, statements, one, at)), None)
        if instead is not None:
            by[instead].append(at)
            continue
        by[at] = []
        replaced = [one for one in kept if _stands_for(ordered, statements, at, one)]
        # A summary takes the place of the first of its own that it replaces.
        place = kept.index(replaced[0]) if replaced and not candidate.past else len(kept)
        kept.insert(place, at)
        for one in replaced:
            kept.remove(one)
            by[at] += (one, *by.pop(one))
    return [item_of(ordered[at], [ordered[one] for one in sorted(by[at])]) for at in kept]


def _stands_for(
    candidates: Sequence[ContextCandidate], statements: Sequence[_ComparedText], one: int, other: int
) -> bool:
    """True if candidate `one` makes the `other` one redundant."""
    standing, stood_for = candidates[one], candidates[other]
    if (standing.past and not stood_for.past) or (standing.is_history and not stood_for.is_history):
        return False
    derived = stood_for.item.id in standing.item.content.parents
    return statements[one].says(statements[other], derived=derived)


def item_of(candidate: ContextCandidate, same: Sequence[ContextCandidate] = ()) -> ContextItem:
    """The item that a candidate is packed as, for itself and for those that say the same."""
    hit = candidate.hit
    days = {(iso(one.hit.at_ns) or "")[:10]: None for one in (candidate, *same) if one.hit.at_ns}
    dates = sorted(days)
    if len(dates) > _DATES_MAX:
        dates = [*dates[: _DATES_MAX - 1], "\u2026", dates[-1]]
    best = max((candidate, *same), key=lambda one: one.hit.score).hit
    return ContextItem(
        id=hit.id,
        kind=hit.kind,
        text=hit.text,
        excerpt=hit.excerpt,
        score=best.score,
        weak=best.weak,
        owner=hit.owner,
        speaker=hit.speaker if hit.kind == "raw" else "",
        session=hit.session,
        at=iso(hit.at_ns) or "",
        dates=tuple(dates),
        sources=tuple(sorted({seq for one in (candidate, *same) for seq in one.hit.sources})),
        also=tuple(one.hit.id for one in same),
        past=candidate.past,
        superseded_by=hit.superseded_by,
    )
