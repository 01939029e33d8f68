"""Answers that only read the store, as JSON rows. Sync: call them in a thread."""

from functools import partial

import msgspec

from clawactors.memory.index.forgotten import is_covered, owner_in
from clawactors.memory.index.rows import item_at, next_number
from clawactors.memory.item import KINDS, ItemCommand
from clawactors.memory.process import questions as q
from clawactors.memory.process.access import Access
from clawactors.memory.process.replies import Reply, edge_row, hit_row, item_row
from clawactors.memory.process.store import MemoryStore
from clawactors.memory.recall import Hit, MemoryFilter
from clawactors.memory.recall.current import successor
from clawactors.memory.recall.relation import Relations
from clawactors.memory.text.calendar import Zone, zone_named
from clawactors.projections.engine.digest import store_digest
from clawactors.projections.engine.pages import InvalidQuery
from clawactors.systems.memories import Kind
from clawactors.systems.memories.commands import RecordMemory
from clawactors.systems.memories.memory import STATUSES
from clawactors.systems.owners import OwnerSettings

__all__ = ["about", "counts", "digest", "export", "habits", "hits_of", "search", "settings_row", "show", "wanted"]

_encode = msgspec.json.Encoder().encode
_PAGE_BYTES = 512 * 1024


def search(store: MemoryStore, question: q.SearchQuestion, access: Access, now_ns: int, goal: str = "") -> Reply:
    """The hits of a search. Raises: `InvalidQuery`, `NotFound`, `Refused`."""
    hits = hits_of(store, question, access, now_ns, goal)
    return {"rows": [hit_row(hit, explain=question.explain) for hit in hits]}


def hits_of(store: MemoryStore, question: q.SearchQuestion, access: Access, now_ns: int, goal: str = "") -> list[Hit]:
    """What a search finds; `goal` is what the asking task is about. Raises: `InvalidQuery`, `NotFound`, `Refused`."""
    if not 0 < question.limit <= q.LIMIT_MAX:
        raise InvalidQuery(f"limit is {question.limit}, it must be 1 to {q.LIMIT_MAX}")
    if not 0 <= question.threshold <= 1:
        raise InvalidQuery(f"threshold is {question.threshold}, it must be between 0 and 1")
    if question.owner:
        if question.shared:
            raise InvalidQuery("an owner and what others share are two questions: leave out owner, or shared")
        access.read(store, question.owner)
    if question.like:
        access.visible(store, question.like)
    kinds: tuple[Kind, ...] = (question.kind,) if question.kind else ()
    filter = MemoryFilter(
        owner=question.owner,
        reader=None if question.owner else access.user,
        sharing=access.sharing_owners(store) if question.shared else (),
        agent=question.agent,
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
        zone, locale = habits(store, question, access)
        return store.searcher.search(
            question.text, question.limit, filter, question.threshold, now_ns, zone, locale, question.skill, goal
        )
    return store.searcher.newest(question.limit, filter)


def habits(store: MemoryStore, question: q.SearchQuestion, access: Access) -> tuple[Zone, str]:
    """The zone and the locale of whom the question is about, where it names none itself. Raises: `InvalidQuery`."""
    settings = store.settings(question.owner or access.user or "")
    try:
        return zone_named(question.zone or settings.zone), question.locale or settings.language
    except ValueError as error:
        raise InvalidQuery(str(error)) from None


def show(store: MemoryStore, question: q.ShowQuestion, access: Access, now_ns: int) -> Reply:
    """One memory. Raises: `NotFound`."""
    item = access.visible(store, question.id)
    row = item_row(item, now_ns)
    if item.memory.searched and not item.memory.superseded_by:
        with store.views.store.snapshot() as reading:
            later = successor(reading, item)
        row |= {"superseded_by": later.id if later else ""}
    return {"row": row}


def export(store: MemoryStore, question: q.ExportQuestion, access: Access, now_ns: int) -> Reply:
    """A page of all memories. Raises: `Refused`."""
    owner = question.owner or access.user or ""
    if owner:
        access.read(store, owner)
    elif access.user is not None:
        raise InvalidQuery("a task of no user owns no memories; name an owner")
    wanted = (("session", question.session), ("agent", question.agent), ("owner", owner))
    rows: list[msgspec.Raw] = []
    number, size_bytes = question.after + 1, 0
    with store.views.store.snapshot() as reading:
        end = next_number(reading)
        while number < end and len(rows) < min(max(question.limit, 1), q.LIMIT_MAX) and size_bytes < _PAGE_BYTES:
            item = item_at(reading, number)
            number += 1
            if (
                item
                and (content := item.memory.content)
                and question.status in (None, item.memory.status)
                and all(value in ("", getattr(content, name)) for name, value in wanted)
            ):
                row = _encode(item_row(item, now_ns))
                size_bytes += len(row)
                rows.append(msgspec.Raw(row))
    return {"rows": rows, "after": number - 1 if number < end else None}


def counts(store: MemoryStore, access: Access) -> Reply:
    """The number of memories by kind, status, owner and origin, of those that one sees; the size of rows and index."""
    kinds, statuses = dict.fromkeys(KINDS, 0), dict.fromkeys(STATUSES[1:], 0)
    owners: dict[str, int] = {}
    origins: dict[str, int] = {}
    for item in store.items():
        if access.user is not None and not (item.memory.content and access.sees(item.content.owner)):
            continue
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
        "vector_index": store.index.vector_store.name,
        "models": store.meanings.row(),
        "size_bytes": store.views.store.size_bytes,
    }


def about(store: MemoryStore, question: q.AboutQuestion, access: Access) -> Reply:
    """The facts about a name. Raises: `Refused`."""
    if question.owner:
        access.read(store, question.owner)
    with store.views.store.snapshot() as reading:
        relations = Relations(reading, question.owner, access.sees if not question.owner else _everyone)
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


def wanted(store: MemoryStore, commands: list[ItemCommand], seq: int) -> list[ItemCommand]:
    """The commands to record what was said at that sequence, without what is forgotten or not to be remembered."""
    with store.views.store.snapshot() as reading:
        return [
            each
            for each in commands
            if isinstance(each.command, RecordMemory)
            and owner_in(reading, each.command.content.owner).settings.memory
            and not is_covered(each.command.content, seq, 0, partial(owner_in, reading))
        ]


def settings_row(owner: str, settings: OwnerSettings) -> Reply:
    """The settings of an owner."""
    return {"owner": owner} | msgspec.structs.asdict(settings)


def _everyone(_owner: str) -> bool:
    return True
