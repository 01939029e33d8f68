"""Forgetting: once it has returned, nothing that was said before comes back.

1. A scope is put on record first, as a position of the log. From then on nothing that was said before becomes a memory:
   the rows of every process are folds of that.
2. Then each memory is forgotten by an event of its own, and everything derived from it, until none is left.
3. What is recorded meanwhile from a forgotten memory is void as soon as it is read.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Final

from clawactors.kernel.errors import InvalidQuery
from clawactors.memory.item import Item, ItemCommand
from clawactors.memory.process.access import Access
from clawactors.memory.process.questions import ForgetQuestion
from clawactors.memory.process.replies import Reply
from clawactors.memory.process.store import MemoryStore
from clawactors.memory.process.writer import CommandWriter
from clawactors.runtime.call import Call
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.systems.memories.commands import ForgetMemory
from clawactors.systems.owners import EVERYONE, Forgetting, owner_id
from clawactors.systems.owners.commands import ForgetOwner
from clawactors.systems.owners.kind import OWNERS

__all__ = ["forget", "forget_ids"]

_ROWS_WITHIN_S: Final = 60.0
IN_THE_LOG: Final = (
    "the words stay in the log, in the commits that they came with, and in its copies and backups, "
    "until they are erased there (docs/memory.md, Forgetting)"
)


async def forget(
    store: MemoryStore,
    dispatcher: Dispatcher,
    question: ForgetQuestion,
    access: Access,
    head: int,
    reconsider: Callable[[Iterable[str]], None],
) -> Reply:
    """Forgets what the question names, said up to `head`; returns the receipt.

    What was derived from others too is derived from them anew: `reconsider` is told which.

    Raises: `InvalidQuery`, `NotFound`, `Refused`, `Unavailable`.
    """
    ids = tuple(dict.fromkeys((*filter(None, (question.id,)), *question.ids)))
    scope = Forgetting(
        upto=head,
        session=question.session,
        agent=question.agent,
        since_ns=question.since_ns,
        until_ns=question.until_ns,
    )
    owner = question.owner
    if bool(ids) == bool(owner or not scope.is_whole):
        raise InvalidQuery("forget takes ids, or an owner, a session, an agent or a time")
    if ids:
        await asyncio.to_thread(_check_ids, store, ids, access)
        found = list(ids)
    else:
        owner = owner or access.user or EVERYONE
        if owner != EVERYONE or access.user is not None:
            access.change(owner)
        if not question.dry_run:
            command = ForgetOwner(owner, scope, question.reason)
            answer = await dispatcher.send(Call(OWNERS, owner_id(owner), (command,), principal=access.by))
            await store.reached(answer.version, _ROWS_WITHIN_S)
        found = await asyncio.to_thread(_within, store, owner, scope)
    if question.dry_run:
        derived = await asyncio.to_thread(_with_derived, store, found)
        return {"ids": [item.id for item in derived], "counts": _counts(derived), "upto": head, "dry_run": True}
    done = await forget_ids(store, CommandWriter(dispatcher, access.by), found, question.reason, head)
    if not ids:  # what came to be while they were forgotten
        while rest := await asyncio.to_thread(_within, store, owner, scope):
            done |= await forget_ids(store, CommandWriter(dispatcher, access.by), rest, question.reason, head)
    reconsider({parent for item in done.values() for parent in item.content.parents} - done.keys())
    return {
        "ids": list(done),
        "changed": len(done),
        "counts": _counts(done.values()),
        "owner": "" if owner == EVERYONE else owner,
        "by": access.by,
        "upto": head,
        "log": IN_THE_LOG,
    }


async def forget_ids(
    store: MemoryStore, writer: CommandWriter, ids: Iterable[str], reason: str, upto: int
) -> dict[str, Item]:
    """Forgets these memories and everything derived from them; returns them by id. Raises: `Unavailable`."""
    done: dict[str, Item] = {}
    seeds = list(ids)
    while items := await asyncio.to_thread(_with_derived, store, (*seeds, *done)):
        written = await writer.write(ItemCommand(item.id, ForgetMemory(reason, upto)) for item in items)
        done |= {item.id: item for item in items}
        if written.last_seq <= 0:
            break
        await store.reached(written.last_seq, _ROWS_WITHIN_S)
    return done


def _check_ids(store: MemoryStore, ids: Iterable[str], access: Access) -> None:
    for id in ids:
        item = access.visible(store, id)
        if item.memory.content:
            access.change(item.content.owner)


def _within(store: MemoryStore, owner: str, scope: Forgetting) -> list[str]:
    """The memories of the owner that the scope covers."""
    return [
        item.id
        for item in store.items()
        if (content := item.memory.content)
        and owner in (content.owner, EVERYONE)
        and scope.covers(content.said_at(item.recorded), content.session, content.agent, content.happened_ns)
    ]


def _with_derived(store: MemoryStore, seeds: Iterable[str]) -> list[Item]:
    """Those of the memories that are not forgotten, and all that were made of them, because they repeat their words."""
    made: dict[str, list[str]] = defaultdict(list)
    items: dict[str, Item] = {}
    waiting = list(seeds)
    if not waiting:
        return []
    for item in store.items():
        if (content := item.memory.content) is None:
            continue
        items[item.id] = item
        for parent in (*content.parents, *content.derived_from):
            made[parent].append(item.id)
    found: dict[str, Item] = {}
    seen = set(waiting)
    while waiting:
        id = waiting.pop()
        if id in items:
            found[id] = items[id]
        waiting += (new := [child for child in made[id] if child not in seen])
        seen.update(new)
    return sorted(found.values(), key=lambda item: item.number)


def _counts(items: Iterable[Item]) -> dict[str, int]:
    return dict(Counter(item.content.kind for item in items))
