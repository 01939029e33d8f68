"""What was decided stands above talk about it, where both answer about as well."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from clawactors.memory.item import Item
from clawactors.memory.recall.hit import Hit
from clawactors.memory.text.decision import asks_decision, states_decision

__all__ = ["decisions_first"]

_ASKED: Final = 0.25
"""A decision passes talk that is so much more relevant, where the question is after a decision."""
_ANYWAY: Final = 0.03


def decisions_first(question: str, hits: Sequence[tuple[Item, Hit]]) -> list[tuple[Item, Hit]]:
    """The hits, best first, with decisions above talk; the scores still fall from one to the next."""
    margin = _ASKED if asks_decision(question) else _ANYWAY
    ordered: list[tuple[Item, Hit]] = []
    decided = [states_decision(item.content.text) for item, _ in hits]
    passed = [False] * len(hits)
    for at, (item, hit) in enumerate(hits):
        if passed[at]:
            continue
        if not decided[at]:
            for other in range(at + 1, len(hits)):
                later, found = hits[other]
                if found.score < hit.score - margin:
                    break
                if decided[other] and not passed[other] and found.weak == hit.weak:
                    passed[other] = True
                    ordered.append((later, replace(found, score=hit.score)))
        ordered.append((item, hit))
    return ordered
