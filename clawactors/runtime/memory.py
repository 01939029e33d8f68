"""Remembering and recalling, as clients and running tasks do: notes and messages are appended, questions are asked.

What is remembered is decided here and durable when it returns, whether the memory process runs or not; only asking
needs that process. Nothing here knows how memory searches.
"""

import contextlib
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import batched
from typing import Any, Final

import msgspec

from clawactors.eventlog import Draft, TooLarge, Unavailable, WrongVersion
from clawactors.eventlog.requests import Requests
from clawactors.kernel.errors import InvalidQuery, NotFound, Refused
from clawactors.runtime.actor import Actor, ActorContext
from clawactors.runtime.naming import new_id
from clawactors.runtime.recalling import ask
from clawactors.systems.chats import MessageAdded
from clawactors.systems.chats.commands import AddMessage
from clawactors.systems.chats.events import Role
from clawactors.systems.chats.kind import CHATS
from clawactors.systems.memories import CODEC, MEMORY, Content, memory_id
from clawactors.systems.memories.commands import RecordMemory
from clawactors.systems.memories.kind import MEMORIES
from clawactors.systems.tasks.submission import checked_id

__all__ = ["ASK_S", "SEARCH", "Memories", "StoredNote", "content_of", "note_key"]

SEARCH: Final = "memory.search"
ASK_S: Final = 20.0
"""How long a question may wait: after a start, memory reads the log first."""

_TOGETHER: Final = 1000
_ERRORS: Final[Mapping[str, type[Exception]]] = {"usage": InvalidQuery, "refused": Refused, "not_found": NotFound}


class StoredNote(msgspec.Struct, frozen=True):
    """What became of one content of many: `version` is the sequence of its commit, `refusal` why there is none.

    `new` is false for what was remembered before.
    """

    id: str
    version: int = 0
    new: bool = False
    refusal: str = ""


class Memories:
    """What one process does with memory."""

    def __init__(self, context: ActorContext, requests: Requests) -> None:
        self._context, self._requests = context, requests

    async def remember(self, text: str, *, key: str = "", tags: Iterable[str] = (), **more: Any) -> str:
        """Remembers the text; returns the memory's id, which follows from owner and `key`, by default from the text.

        `more` are fields of `Content`: owner, speaker, session, kind, happened_ns, importance … The same again is
        quiet. Raises: `Refused`; what the log raises.
        """
        return await self.keep(content_of(text, tags, more), key)

    async def keep(self, content: Content, key: str = "") -> str:
        """As `remember`, with the content as it is."""
        id = memory_id(content.owner, key or note_key(content))
        await Actor(self._context, MEMORIES, id).handle(RecordMemory(content))
        return id

    async def keep_many(self, contents: Sequence[Content]) -> list[StoredNote]:
        """Remembers all of them, each named by its words; repeats are quiet, refusals hold up nobody else.

        Raises: what the log raises, but for what is wrong with one content.
        """
        kept: list[StoredNote] = []
        for group in batched(contents, _TOGETHER):
            ids = [memory_id(content.owner, note_key(content)) for content in group]
            fresh: dict[str, Draft] = {}
            for id, content in zip(ids, group, strict=True):
                with contextlib.suppress(Refused):  # told below
                    if id not in fresh:
                        fresh[id] = self._draft(id, content)
            outcomes = dict(
                zip(fresh, await self._context.log.append_many([(one, 0) for one in fresh.values()]), strict=True)
            )
            for id, content in zip(ids, group, strict=True):
                outcome = outcomes.pop(id, None)
                if isinstance(outcome, int):
                    kept.append(StoredNote(id, outcome, True))
                elif outcome is None or isinstance(outcome, WrongVersion | TooLarge):
                    kept.append(await self._keep_known(id, content))
                else:
                    raise outcome
        return kept

    def _draft(self, id: str, content: Content) -> Draft:
        body = CODEC.encode(MEMORY.decide(RecordMemory(content), MEMORY.initial))
        return Draft(kind="memory", id=id, body=body, commit=self._context.names.commit(), by=self._context.by)

    async def _keep_known(self, id: str, content: Content) -> StoredNote:
        actor = Actor(self._context, MEMORIES, id)
        try:
            new = await actor.handle(RecordMemory(content))
            if not actor.version:
                await actor.catch_up()
            return StoredNote(id, actor.version, new)
        except (Refused, TooLarge) as refusal:
            return StoredNote(id, refusal=str(refusal))

    async def say(
        self,
        conversation: str,
        text: str,
        *,
        role: Role = "user",
        user: str = "",
        speaker: str = "",
        message: str = "",
        happened_ns: int = 0,
        recalled: Iterable[str] = (),
    ) -> str:
        """Adds a message to a conversation; a user's own also asks for memories of it, in the same commit.

        `recalled` names memories that the text repeats. Returns the message's id; the same id again is quiet.
        Raises: `Refused`; what the log raises.
        """
        said = MessageAdded(
            message=message or new_id(),
            role=role,
            text=text,
            user=user,
            speaker=speaker,
            happened_ns=happened_ns,
            recalled=tuple(recalled),
        )
        actor = Actor(self._context, CHATS, checked_id(conversation, "name of a conversation"))
        await actor.catch_up()
        await actor.handle(AddMessage(said, conversation))
        return said.message

    async def recall(self, text: str, *, limit: int = 5, **wanted: Any) -> list[dict[str, Any]]:
        """The memories that answer best, best first, as rows; `wanted` as in `Search` of memory's questions.

        Raises: `Refused` (a wrong question), `Unavailable` (nobody answers).
        """
        rows: list[dict[str, Any]] = (await self.ask(SEARCH, text=text, limit=limit, **wanted))["rows"]
        return rows

    async def ask(self, name: str, /, timeout_s: float = ASK_S, **question: Any) -> dict[str, Any]:
        """The answer to `claw.query.<name>`. Raises: `Refused`, `NotFound`, `Unavailable`."""
        answer = await ask(self._requests, f"claw.query.{name}", msgspec.json.encode(question), timeout_s)
        reply: dict[str, Any] = msgspec.json.decode(answer)
        if (error := reply.get("error")) is not None:
            raise _ERRORS.get(error["code"], Unavailable)(error["message"])
        return reply


def content_of(text: str, tags: Iterable[str], more: Mapping[str, Any]) -> Content:
    """The content that these fields make. Raises: `Refused`."""
    try:
        if isinstance(tags, str):
            raise Refused("tags is a list of texts, not one text")
        fields = {"text": text, "tags": tuple(tags), "importance": 0.6} | dict(more)
        return msgspec.convert(fields, Content, strict=True)
    except (msgspec.ValidationError, TypeError) as error:
        raise Refused(f"this can't be remembered: {error}") from None


def note_key(content: Content) -> str:
    """What names a note that nobody named: its words, and who said them."""
    named = f"{content.kind}\0{content.speaker}\0{content.text}"
    return "note/" + hashlib.blake2b(named.encode("utf-8", "replace"), digest_size=16).hexdigest()
