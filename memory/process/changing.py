"""Changes that somebody asks for: of one memory, and of what an owner wants."""

import asyncio
from typing import Final

import msgspec

from clawactors.kernel.errors import InvalidQuery
from clawactors.memory.process import questions as q
from clawactors.memory.process import reading
from clawactors.memory.process.access import Access, not_found
from clawactors.memory.process.replies import Reply
from clawactors.memory.process.store import MemoryStore
from clawactors.runtime.call import Call
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.systems.memories.commands import MemoryCommand
from clawactors.systems.memories.kind import MEMORIES
from clawactors.systems.owners import OwnerSettings, owner_id
from clawactors.systems.owners.commands import Configure
from clawactors.systems.owners.kind import OWNERS

__all__ = ["change", "configure"]

_ROWS_WITHIN_S: Final = 30.0


async def change(
    store: MemoryStore, dispatcher: Dispatcher, id: str, command: MemoryCommand, access: Access, now_ns: int
) -> Reply:
    """Sends the command to a memory that one may change; returns the memory after it. Raises: `NotFound`, `Refused`."""
    item = await asyncio.to_thread(access.visible, store, id)
    if item.memory.content is None:
        raise not_found(id)
    access.change(item.content.owner)
    answer = await dispatcher.send(Call(MEMORIES, id, (command,), principal=access.by))
    await store.reached(answer.version, _ROWS_WITHIN_S)
    row = await asyncio.to_thread(reading.show, store, q.ShowQuestion(id=id), access, now_ns)
    return row | {"changed": bool(answer.events)}


async def configure(store: MemoryStore, dispatcher: Dispatcher, question: q.SettingsQuestion, access: Access) -> Reply:
    """The settings of an owner, changed where the question says so. Raises: `InvalidQuery`, `Refused`."""
    owner = question.owner or access.user or ""
    if not owner:
        raise InvalidQuery("settings belong to an owner; name one")
    access.change(owner)
    settings = await asyncio.to_thread(store.settings, owner)
    asked = {name: getattr(question, name) for name in OwnerSettings.__struct_fields__}
    changes = {name: value for name, value in asked.items() if value is not None}
    try:
        new = msgspec.convert(msgspec.structs.asdict(settings) | changes, OwnerSettings)
    except msgspec.ValidationError as error:
        raise InvalidQuery(f"these settings are not valid: {error}") from None
    if changes:
        answer = await dispatcher.send(Call(OWNERS, owner_id(owner), (Configure(owner, new),), principal=access.by))
        await store.reached(answer.version, _ROWS_WITHIN_S)
    return {"row": reading.settings_row(owner, new)}
