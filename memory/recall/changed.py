"""Which of the memories that answer are outdated: by a later claim of the same slot, or by what tells a change.

1. A change makes outdated what told of the same thing with another value of the same kind, earlier and to the same
   owner, where both answer about as well. A memory that says more than that is none of them.
2. A change that answers less well counts where nothing else told of the thing: then it means no other one.
3. A summary that repeats what is outdated is outdated, and so is a fact that nothing else states.
4. Who asks for a person or a place asks for no date, time, amount or code.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from clawactors.memory.consolidation.changes import NAME, ToldChange, changes_in, values_of
from clawactors.memory.consolidation.claims import claims_in
from clawactors.memory.index.rows import with_terms
from clawactors.memory.item import Item
from clawactors.memory.recall.hit import Hit
from clawactors.memory.text.sentence import sentences
from clawactors.projections.engine.store import Reading

__all__ = ["changed"]

_ALIKE: Final = 0.8
_MAIN_SHARE: Final = 0.5
_OTHERS: Final = 100
"""So many memories with the words of a thing are read for whether they tell of another one."""
_OTHER_VALUES = re.compile(r"\b(?:who|whom|whose|where)\b|谁|哪里|哪儿|在哪|哪位", re.IGNORECASE)

type Terms = Callable[[str], Iterable[str]]


def changed(
    reading: Reading,
    question: str,
    hits: Sequence[tuple[Item, Hit]],
    near: Sequence[Item],
    terms: Terms,
    successor: Callable[[Reading, Item], Item | None],
) -> dict[str, Item]:
    """What replaced it, by the id of each hit that is outdated.

    `near` are memories that answer less well; `successor` finds a later claim of the same slot.
    """
    replaced: dict[str, Item] = {}
    for item, _ in hits:
        if (claimed := successor(reading, item)) is not None and claimed.id != item.id:
            replaced[item.id] = claimed
    said = [one for one in hits if one[0].content.kind == "raw" and not one[1].weak]
    changes = [(item, hit.score, change) for item, hit in said for change in changes_in(item.content.text)]
    changes += [(item, 0.0, change) for item in near for change in changes_in(item.content.text)]
    if _OTHER_VALUES.search(question):
        changes = [one for one in changes if NAME in one[2].values]
    for item, hit in said if changes else ():
        later = [
            other
            for other, score, change in changes
            if _is_before(item, other)
            and _tells_of(item, change, terms)
            and (score >= _ALIKE * hit.score or _only_one(reading, other, change, terms))
        ]
        if later and item.id not in replaced:
            replaced[item.id] = max(later, key=_time)
    for item, _ in hits:
        parents = item.content.parents
        gone = [replaced[id] for id in parents if id in replaced]
        if gone and item.id not in replaced and (item.content.kind == "summary" or len(gone) == len(parents)):
            replaced[item.id] = max(gone, key=_time)
    return replaced


def _time(item: Item) -> tuple[int, int]:
    return item.content.happened_ns, item.number


def _is_before(item: Item, other: Item) -> bool:
    return item.content.owner == other.content.owner and _time(item) < _time(other)


def _tells_of(item: Item, change: ToldChange, terms: Terms) -> bool:
    """Whether it is mainly about the thing, with another value of a kind that the change names."""
    thing, text = set(terms(change.thing)), item.content.text
    if thing and NAME in change.values:
        claims = (claim for claim in claims_in(item.content) if claim.kind == NAME and thing <= set(terms(claim.slot)))
        return any(claim.value not in change.values[NAME] for claim in claims)
    for sentence in sentences(text) if thing else ():
        if len(sentence) >= _MAIN_SHARE * len(text) and thing <= set(terms(sentence)):
            told = values_of(sentence)
            return any(told.get(kind, values).isdisjoint(values) for kind, values in change.values.items())
    return False


def _only_one(reading: Reading, changing: Item, change: ToldChange, terms: Terms) -> bool:
    """Whether one memory alone told of the thing before it was changed."""
    found = 0
    for nth, item in enumerate(with_terms(reading, *dict.fromkeys(terms(change.thing)))):
        if item.content.kind == "raw" and item.memory.searched and _is_before(item, changing):
            found += _tells_of(item, change, terms)
        if found > 1 or nth >= _OTHERS:
            return False
    return found == 1
