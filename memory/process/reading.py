"""Answers that only read the store, as JSON rows. Sync: call them in a thread."""

import msgspec

from clawactors.kernel.errors import NotFound
from clawactors.memory.index.rows import find, item_at, next_number
from clawactors.memory.index.vector_index import describe
from clawactors.memory.item import KINDS, Item
from clawactors.memory.process import questions as q
from clawactors.memory.process.replies import Reply, edge_row, hit_row, item_row
from clawactors.memory.process.store import MemoryStore
from clawactors.memory.recall import Hit, MemoryFilter
from clawactors.memory.recall.relation import Relations
from clawactors.projections.engine.digest import store_digest
from clawactors.projections.engine.pages import InvalidQuery
from clawactors.systems.memories import Kind
from clawactors.systems.memories.memory import STATUSES

__all__ = ["about", "counts", "digest", "export", "hits_of", "ids_to_forget", "search", "show"]

_encode = msgspec.json.Encoder().encode
_PAGE_BYTES = 512 * 1024


def search(store: MemoryStore, question: q.SearchQuestion, now_ns: int) -> Reply:
    """The hits of a search. Raises: `InvalidQuery`."""
    return {"rows": [hit_row(hit, explain=question.explain) for hit in hits_of(store, question, now_ns)]}


def hits_of(store: MemoryStore, question: q.SearchQuestion, now_ns: int) -> list[Hit]:
    """What a search finds. Raises: `InvalidQuery`."""
    if not 0 < question.limit <= q.LIMIT_MAX:
        raise InvalidQuery(f"limit is {question.limit}, it must be 1 to {q.LIMIT_MAX}")
    if not 0 <= question.threshold <= 1:
        raise InvalidQuery(f"threshold is {question.threshold}, it must be between 0 and 1")
    kinds: tuple[Kind, ...] = (question.kind,) if question.kind else ()
    filter = MemoryFilter(
        owner=question.owner,
        kinds=kinds,
        tags=question.tags,
        speaker=question.speaker,
        session=question.session,
        since_ns=question.since_ns,
        until_ns=question.until_ns,
        closed=question.past,
    )
    if question.like:
        return store.searcher.similar(question.like, question.limit, filter)
    if question.text.strip():
        return store.searcher.search(question.text, question.limit, filter, question.threshold, now_ns)
    return store.searcher.newest(question.limit, filter)


def show(store: MemoryStore, question: q.ShowQuestion) -> Reply:
    """One memory. Raises: `NotFound`."""
    item = store.item(question.id)
    if item is None:
        raise _not_found(question.id)
    return {"row": item_row(item)}


def export(store: MemoryStore, question: q.ExportQuestion) -> Reply:
    """A page of all memories."""
    rows: list[msgspec.Raw] = []
    number, size_bytes = question.after + 1, 0
    with store.views.store.snapshot() as reading:
        end = next_number(reading)
        while number < end and len(rows) < min(max(question.limit, 1), q.LIMIT_MAX) and size_bytes < _PAGE_BYTES:
            item = item_at(reading, number)
            number += 1
            if item and item.memory.content and question.owner in ("", item.content.owner):
                row = _encode(item_row(item))
                size_bytes += len(row)
                rows.append(msgspec.Raw(row))
    return {"rows": rows, "after": number - 1 if number < end else None}


def counts(store: MemoryStore) -> Reply:
    """The number of memories by kind, status, owner and origin, and the size of rows and index."""
    kinds, statuses = dict.fromkeys(KINDS, 0), dict.fromkeys(STATUSES[1:], 0)
    owners: dict[str, int] = {}
    origins: dict[str, int] = {}
    for item in store.items():
        statuses[item.memory.status] += 1
        if item.memory.searched:
            content = item.content
            kinds[content.kind] += 1
            owners[content.owner] = owners.get(content.owner, 0) + 1
            origins[content.origin] = origins.get(content.origin, 0) + 1
    return {
        "items": sum(kinds.values()),
        "kinds": kinds,
        "statuses": statuses,
        "owners": owners,
        "origins": origins,
        "in_index": store.index.columns.living,
        "in_graph": store.index.graph_upto,
        "vector_index": describe(),
        "size_bytes": store.views.store.size_bytes,
    }


def about(store: MemoryStore, question: q.AboutQuestion) -> Reply:
    """The facts about a name."""
    with store.views.store.snapshot() as reading:
        relations = Relations(reading, question.owner)
        if question.at_ns:
            edges = relations.at(question.name, question.at_ns)
        elif question.depth > 1:
            edges = relations.walk(question.name, min(question.depth, 10))
        else:
            edges = relations.about(question.name, past=question.past)
    return {"rows": [edge_row(edge) for edge in edges]}


def digest(store: MemoryStore, question: q.MemoryDigestQuestion) -> Reply:
    """The digest of the rows."""
    views = store.views
    return msgspec.structs.asdict(store_digest(views.store, views.feed.projector.projection, question.views))


def ids_to_forget(store: MemoryStore, question: q.ForgetQuestion) -> list[str]:
    """The memories to forget: the named ones, and all that are derived from them, because they repeat their words.

    Raises: `InvalidQuery`, `NotFound`.
    """
    if bool(question.id) == bool(question.owner):
        raise InvalidQuery("forget takes either an id or an owner")
    if question.owner:
        return [one.id for one in store.items() if one.memory.content and one.content.owner == question.owner]
    with store.views.store.snapshot() as reading:
        if find(reading, question.id) is None:
            raise _not_found(question.id)
    ids = {question.id: None}
    while derived := {one.id: None for one in store.items() if one.id not in ids and _is_derived(one, ids)}:
        ids |= derived
    return list(ids)


def _is_derived(item: Item, ids: dict[str, None]) -> bool:
    content = item.memory.content
    return content is not None and any(parent in ids for parent in content.parents)


def _not_found(id: str) -> NotFound:
    """The error for an unknown memory."""
    return NotFound(f"there is no memory {id[:128]!r}")
