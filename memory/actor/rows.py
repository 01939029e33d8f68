"""Memories as JSON for people and programs: hits of a search, and items with everything that is known of them."""

from typing import Any, Final

import msgspec

from clawactors.kernel.time import iso
from clawactors.memory.index.item import Item
from clawactors.memory.recall import Hit
from clawactors.systems.memories import Fact

__all__ = ["fact_row", "hit_row", "item_row"]

type Row = dict[str, Any]

_EXCERPT: Final = 200


def hit_row(hit: Hit, *, explain: bool = False) -> Row:
    """A hit; `parts` only where they are asked for."""
    row = {
        "id": hit.id,
        "kind": hit.kind,
        "text": hit.text,
        "excerpt": hit.excerpt,
        "score": hit.score,
        "weak": hit.weak,
        "owner": hit.owner,
        "speaker": hit.speaker,
        "session": hit.session,
        "tags": hit.tags,
        "at": iso(hit.at_ns),
        "count": hit.count,
        "sources": hit.sources,
        "parents": hit.parents,
        "fact": fact_row(hit.fact),
    }
    return row | {"parts": hit.parts} if explain else row


def item_row(item: Item) -> Row:
    """A memory; of a forgotten one there is little left."""
    memory = item.memory
    row: Row = {"id": item.id, "status": memory.status, "version": item.version}
    row |= {"recorded_at": iso(memory.recorded_ns), "updated_at": iso(memory.updated_ns)}
    if (content := memory.content) is None:
        return row
    return row | {
        "kind": content.kind,
        "level": memory.level,
        "text": content.text,
        "excerpt": content.text[:_EXCERPT],
        "score": None,
        "owner": content.owner,
        "speaker": content.speaker,
        "session": content.session,
        "position": content.position,
        "tags": content.tags,
        "at": iso(content.happened_ns),
        "count": memory.count,
        "importance": content.importance,
        "tone": content.tone,
        "origin": content.origin,
        "sources": item.sources,
        "parents": content.parents,
        "previous": content.previous,
        "superseded_by": memory.superseded_by,
        "fact": fact_row(content.fact),
    }


def fact_row(fact: Fact | None) -> Row | None:
    """A fact with its times as people write them."""
    if fact is None:
        return None
    row: Row = msgspec.structs.asdict(fact)
    return {name: value for name, value in row.items() if not name.endswith("_ns")} | {
        "valid_from": iso(fact.valid_from_ns),
        "valid_until": iso(fact.valid_until_ns),
    }
