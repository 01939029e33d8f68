"""Middleware of the memory process: what its owner does not want, what is forgotten, and whose it is.

1. What is forgotten, and what its owner does not want remembered, is not written. The fold of the rows decides
   (`clawactors.memory.index.forgotten`); this spares the log what would come to nothing.
2. A principal takes no id that another one's memory may have or get: its ids follow from owner and key.
3. A principal gets no state of a memory that another one owns, not even of a command that had its effect before.
"""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from clawactors.kernel.errors import NotFound, Refused
from clawactors.kernel.principals import may_speak_for
from clawactors.memory.index.forgotten import is_covered
from clawactors.runtime.call import Answer, Call, Handler, Middleware, Reply
from clawactors.systems.chats.commands import AddMessage
from clawactors.systems.memories import MEMORY, Content, Memory, memory_id, note_key
from clawactors.systems.memories.commands import RecordMemory
from clawactors.systems.memories.kind import MEMORIES
from clawactors.systems.owners import Owner, owner_id
from clawactors.systems.owners.kind import OWNERS

__all__ = ["guarding"]

type StateOf = Callable[[str, str], Any]


def guarding(state: StateOf, now_ns: Callable[[], int]) -> Middleware:
    """The middleware; `state(kind, id)` gives that of an owner, or of a memory."""

    def owner_of(name: str) -> Owner:
        owner: Owner = state(OWNERS.name, owner_id(name))
        return owner

    def is_forgotten(id: str) -> bool:
        memory: Memory = state(MEMORIES.name, id)
        return memory.status == "forgotten"

    def reply_to(call: Call) -> Reply | None:
        for command in call.commands:
            if isinstance(command, RecordMemory):
                content = command.content
                if command.asker is not None and call.id != memory_id(content.owner, command.key or note_key(content)):
                    return Refused("the id of a memory follows from its owner and key; see clawactors.systems.memories")
                if not owner_of(command.content.owner).settings.memory:
                    return Refused(f"{command.content.owner[:60]!r} has memory switched off (claw memory settings)")
                if repeats(command.content):
                    return Answer(0, MEMORY.initial)
        return None

    def repeats(content: Content) -> bool:
        # A note is said now, after all that was forgotten.
        said_now = content.said_at(0) == 0
        made_of = (*content.parents, *content.derived_from)
        return (not said_now and is_covered(content, 0, now_ns(), owner_of)) or any(map(is_forgotten, made_of))

    def seen_to(call: Call) -> Call:
        if not any(isinstance(command, AddMessage) for command in call.commands):
            return call
        return replace(call, commands=tuple(map(as_wanted, call.commands)))

    def as_wanted(command: AddMessage) -> AddMessage:
        return replace(command, remembered=owner_of(command.message.user).settings.memory)

    def wrap(handler: Handler) -> Handler:
        async def handle(calls: Sequence[Call]) -> Sequence[Reply]:
            given = [reply_to(call) for call in calls]
            rest = [seen_to(call) for call, reply in zip(calls, given, strict=True) if reply is None]
            replies = iter(await handler(rest) if rest else ())
            own = (next(replies) if reply is None else reply for reply in given)
            return [_as_told(call, reply) for call, reply in zip(calls, own, strict=True)]

        return handle

    return wrap


def _as_told(call: Call, reply: Reply) -> Reply:
    """Rule 3."""
    if isinstance(reply, Answer) and call.kind is MEMORIES and (content := reply.state.content) is not None:
        for command in call.commands:
            asker = getattr(command, "asker", None)
            if content.owner and not may_speak_for(asker, content.owner):
                return NotFound("there is no such memory")
    return reply
