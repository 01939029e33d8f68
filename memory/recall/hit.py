"""A search result."""

import msgspec

from clawactors.memory.item import Item
from clawactors.systems.memories import Fact, Kind

__all__ = ["Hit", "hit_of"]


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A memory that a search found. `score` is its relevance, 0..1; `weak` hits are below the threshold.

    `parts` lists what each feature adds to the rank; `sources` are log sequences. Times in ns since 1970.
    """

    id: str
    kind: Kind
    text: str
    excerpt: str
    score: float
    weak: bool
    owner: str
    speaker: str
    session: str
    agent: str
    tags: tuple[str, ...]
    at_ns: int
    sources: tuple[int, ...]
    parents: tuple[str, ...]
    derived_from: tuple[str, ...]
    count: int
    fact: Fact | None
    parts: dict[str, float]
    superseded_by: str = ""
    """The id of the memory that made this one outdated."""


def hit_of(item: Item, score: float, weak: bool, excerpt: str, parts: dict[str, float]) -> Hit:
    """The hit for an item. Raises: `ValueError` for a forgotten memory."""
    content = item.content
    return Hit(
        id=item.id,
        kind=content.kind,
        text=content.text,
        excerpt=excerpt,
        score=score,
        weak=weak,
        owner=content.owner,
        speaker=content.speaker,
        session=content.session,
        agent=content.agent,
        tags=content.tags,
        at_ns=content.happened_ns,
        sources=item.sources,
        parents=content.parents,
        derived_from=content.derived_from,
        count=item.memory.count,
        fact=content.fact,
        parts=parts,
        superseded_by=item.memory.superseded_by,
    )
