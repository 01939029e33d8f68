"""Memories as JSON: search hits, complete items, facts and raw events."""

from typing import Any, Final

import msgspec

from clawactors.eventlog.decoding import Commit
from clawactors.kernel.time import iso
from clawactors.memory.consolidation import retention
from clawactors.memory.item import Item
from clawactors.memory.recall import Hit
from clawactors.memory.recall.relation import Edge
from clawactors.systems.memories import Fact

__all__ = ["Reply", "edge_row", "event_row", "fact_row", "hit_row", "item_row"]

type Reply = dict[str, Any]
"""An answer or a row of one, ready for JSON."""

_EXCERPT: Final = 200


def hit_row(hit: Hit, *, explain: bool = False) -> Reply:
    """A hit as JSON; `explain` adds its `parts`."""
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
        "agent": hit.agent,
        "tags": hit.tags,
        "at": iso(hit.at_ns),
        "count": hit.count,
        "sources": hit.sources,
        "parents": hit.parents,
        "superseded_by": hit.superseded_by,
        "derived_from": hit.derived_from,
        "fact": fact_row(hit.fact),
    }
    return row | {"parts": hit.parts} if explain else row


def item_row(item: Item, now_ns: int) -> Reply:
    """A memory as JSON; of a forgotten one only id, status, version and times. `retained` is what is left by now."""
    memory = item.memory
    row: Reply = {"id": item.id, "status": memory.status, "version": item.version}
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
        "agent": content.agent,
        "position": content.position,
        "tags": content.tags,
        "at": iso(content.happened_ns),
        "count": memory.count,
        "importance": content.importance,
        "retained": round(retention(memory, now_ns), 4),
        "uses": memory.uses,
        "last_used_at": iso(memory.last_used_ns),
        "revision": memory.revision,
        "tone": content.tone,
        "origin": content.origin,
        "sources": item.sources,
        "parents": content.parents,
        "derived_from": content.derived_from,
        "previous": content.previous,
        "superseded_by": memory.superseded_by,
        "fact": fact_row(content.fact),
    }


def fact_row(fact: Fact | None) -> Reply | None:
    """A fact as JSON, with times in RFC 3339."""
    if fact is None:
        return None
    row: Reply = msgspec.structs.asdict(fact)
    return {name: value for name, value in row.items() if not name.endswith("_ns")} | {
        "valid_from": iso(fact.valid_from_ns),
        "valid_until": iso(fact.valid_until_ns),
    }


def edge_row(edge: Edge) -> Reply:
    """A fact with the id of its memory, its validity and its distance from the start."""
    return {"id": edge.id, "holds": edge.holds, "steps": edge.steps, "fact": fact_row(edge.fact)}


def event_row(commit: Commit, event: object) -> Reply:
    """A raw event with its place in the log."""
    return {
        "seq": commit.record.seq,
        "at": iso(commit.record.at_ns),
        "kind": commit.kind,
        "id": commit.id,
        "event": msgspec.to_builtins(event),
    }
