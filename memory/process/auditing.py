"""The changes of memories, read from the log: their versions, and who changed what, when and why.

What was said before a memory was forgotten is not told, though the log still has it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import msgspec

from clawactors.eventlog import EventLog, aggregate_pattern
from clawactors.eventlog.decoding import Commit, Decoder
from clawactors.kernel.errors import InvalidQuery, NotFound
from clawactors.kernel.kind import Kind
from clawactors.kernel.time import iso
from clawactors.memory.process import questions as q
from clawactors.memory.process.access import Access, not_found
from clawactors.memory.process.replies import Reply
from clawactors.memory.process.store import MemoryStore
from clawactors.systems.memories import Memory, memory_id
from clawactors.systems.memories import events as e
from clawactors.systems.memories.kind import MEMORIES
from clawactors.systems.owners import Owner, owner_id
from clawactors.systems.owners import events as oe
from clawactors.systems.owners.kind import OWNERS

__all__ = ["audit", "history"]

_SHOWN: Final = ("status", "count", "superseded_by", "uses")
_WORDS: Final = ("text", "tags", "owner", "speaker", "session", "agent", "importance", "fact")


async def history(
    store: MemoryStore, log: EventLog, decoder: Decoder, question: q.VersionsQuestion, access: Access
) -> Reply:
    """The versions of one memory, oldest first. Raises: `InvalidQuery`, `NotFound`."""
    if bool(question.id) == bool(question.key):
        raise InvalidQuery("history takes an id or a key")
    id = question.id or memory_id(question.owner or access.user or "", question.key)
    try:
        item = await asyncio.to_thread(access.visible, store, id)
    except NotFound:
        raise _unknown(question) from None
    if item.memory.content is None:
        raise _unknown(question)
    rows: list[Reply] = []
    async for commit, event, _, after in _changes(log, decoder, MEMORIES, id):
        is_version = isinstance(event, e.MemoryRecorded | e.MemoryUpdated | e.MemoryRevised)
        if is_version and after.content and commit.record.seq >= item.recorded:
            content = after.content
            rows.append(
                {
                    "id": id,
                    "version": len(rows) + 1,
                    "text": content.text,
                    "tags": content.tags,
                    "at": iso(commit.record.at_ns),
                    "by": commit.record.by,
                    "seq": commit.record.seq,
                    "current": False,
                }
            )
    if rows:
        rows[-1]["current"] = True
    return {"rows": rows}


def _unknown(question: q.VersionsQuestion) -> NotFound:
    if not question.key:
        return not_found(question.id)
    whose = f" for {question.owner[:60]!r}" if question.owner else ""
    return NotFound(f"nothing is remembered{whose} with the key {question.key[:128]!r}")


async def audit(
    store: MemoryStore, log: EventLog, decoder: Decoder, question: q.AuditQuestion, access: Access
) -> Reply:
    """The changes of a memory or of an owner, newest first; that a memory was used is told only of a single one.

    Raises: `InvalidQuery`, `NotFound`, `Refused`.
    """
    if not 0 < question.limit <= q.LIMIT_MAX:
        raise InvalidQuery(f"limit is {question.limit}, it must be 1 to {q.LIMIT_MAX}")
    owner = question.owner or access.user or ""
    rows: list[Reply] = []
    if question.id:
        item = await asyncio.to_thread(access.visible, store, question.id)
        if item.memory.content:
            access.change(item.content.owner)
        changed = [(item.version, item.id)]
    else:
        if owner or access.user is not None:
            access.change(owner)
        changed = await asyncio.to_thread(_newest, store, owner, question.since_ns)
        if owner:
            rows += [_owner_row(owner, *change) async for change in _changes(log, decoder, OWNERS, owner_id(owner))]
    for version, id in changed:
        # What comes has nothing newer than its version, so once there are enough newer rows it has none to add.
        if sum(row["seq"] > version for row in rows) >= question.limit:
            break
        found = await asyncio.to_thread(store.item, id)
        shown = found.recorded if found and found.memory.content else 0
        rows += [
            _memory_row(id, shown, *change)
            async for change in _changes(log, decoder, MEMORIES, id)
            if question.id or not isinstance(change[1], e.MemoryUsed)
        ]
    since = iso(question.since_ns) if question.since_ns else ""
    rows = [row for row in rows if not since or row["at"] >= since]
    rows.sort(key=lambda row: row["seq"], reverse=True)
    return {"rows": rows[: question.limit]}


def _newest(store: MemoryStore, owner: str, since_ns: int) -> list[tuple[int, str]]:
    """The memories of the owner, '' for all, with the versions at which they changed; the last one first."""
    changed = [
        (item.version, item.id)
        for item in store.items()
        if item.memory.updated_ns >= since_ns and (not owner or (item.memory.content and item.content.owner == owner))
    ]
    return sorted(changed, reverse=True)


async def _changes(
    log: EventLog, decoder: Decoder, kind: Kind[Any, Any, Any], id: str
) -> AsyncIterator[tuple[Commit, Any, Any, Any]]:
    """The changes of one aggregate: commit, event, the state before and after."""
    state = kind.decider.initial
    async for records in log.read([aggregate_pattern(kind.name, id)]):
        for record in records:
            commit = decoder.decode(record)
            for event in commit.events:
                before, state = state, kind.decider.evolve(state, event, record.at_ns)
                if state is not before:
                    yield commit, event, before, state


def _memory_row(id: str, shown_from: int, commit: Commit, event: Any, before: Memory, after: Memory) -> Reply:
    shows_words = 0 < shown_from <= commit.record.seq
    old, new = (dict(_told(each, shows_words)) for each in (before, after))
    return _row(commit, event) | {"id": id} | _difference(old, new)


def _told(memory: Memory, shows_words: bool) -> Iterator[tuple[str, Any]]:
    for name in _SHOWN:
        yield name, getattr(memory, name)
    if memory.content and shows_words:
        for name in _WORDS:
            yield name, msgspec.to_builtins(getattr(memory.content, name))


def _owner_row(name: str, commit: Commit, event: Any, before: Owner, after: Owner) -> Reply:
    row = _row(commit, event) | {"id": f"owner {name}"}
    if isinstance(event, oe.OwnerForgotten):
        return row | {"before": {}, "after": {"forgotten": msgspec.to_builtins(event.forgetting)}}
    return row | _difference(msgspec.structs.asdict(before.settings), msgspec.structs.asdict(after.settings))


def _row(commit: Commit, event: Any) -> Reply:
    return {
        "seq": commit.record.seq,
        "at": iso(commit.record.at_ns),
        "by": commit.record.by,
        "what": event.__struct_config__.tag,
        "why": getattr(event, "reason", ""),
    }


def _difference(before: dict[str, Any], after: dict[str, Any]) -> Reply:
    """What differs, before and after."""
    names = [name for name in (before | after) if before.get(name) != after.get(name)]
    return {
        "before": {name: before[name] for name in names if name in before},
        "after": {name: after[name] for name in names if name in after},
    }
