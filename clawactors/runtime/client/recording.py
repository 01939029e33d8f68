"""Memory as clients use it: the memory process records their notes and the messages of their conversations."""

from collections.abc import AsyncIterator, Iterable
from typing import Any, Final, Protocol, TypedDict, Unpack

from clawactors.eventlog.requests import Asking
from clawactors.kernel.errors import Refused
from clawactors.runtime.client.sender import CommandSender
from clawactors.runtime.context import ProcessContext
from clawactors.runtime.memory import Memories, Recorder, encoded
from clawactors.runtime.memoryoptions import AuditOptions, ExportOptions, ForgetOptions, SettingsOptions, checked
from clawactors.runtime.naming import new_id
from clawactors.runtime.times import Moment, moment_ns
from clawactors.systems.chats import MessageAdded
from clawactors.systems.chats.events import Role
from clawactors.systems.chats.external import AddMessageRequest
from clawactors.systems.memories import Content
from clawactors.systems.memories.external import RecordMemoryRequest
from clawactors.systems.tasks.submission import checked_id

__all__ = ["LONG_S", "AskingRecorder", "ClientMemories", "MessageRecorder"]

LONG_S: Final = 600.0
"""Consolidating or forgetting many memories takes a while."""


class _Own(TypedDict, total=False):
    """What commands of the cluster's own account say beside: who is on record."""

    by: str


class MessageRecorder(Recorder, Protocol):
    """How this process has notes and messages recorded."""

    async def add_message(self, conversation: str, message: MessageAdded) -> None:
        """Adds it to the conversation, once. Raises: `Refused`, `TooLarge`, `Unavailable`."""
        ...


class AskingRecorder:
    """A `MessageRecorder` that asks the memory process, for a user, or as the cluster's own account ('')."""

    def __init__(self, context: ProcessContext, sender: CommandSender, user: str = "") -> None:
        self._context, self._sender = context, sender
        self._own: _Own = {} if user else {"by": context.by}

    async def record(self, id: str, content: Content, *, replaces: bool = False, key: str = "") -> tuple[int, bool]:
        """The version of the memory, and whether it is new. Raises: `Refused`, `TooLarge`, `Unavailable`."""
        request = RecordMemoryRequest(content=content, replaces=replaces, key=key, **self._own)
        outcome = await self._sender.ask("memory", id, request, queued=False, own_account=bool(self._own))
        return outcome.version, outcome.changed

    async def add_message(self, conversation: str, message: MessageAdded) -> None:
        """Adds it to the conversation, once. Raises: `Refused`, `TooLarge`, `Unavailable`."""
        name = self._context.names.commit()
        request = AddMessageRequest(id=name, message=message, conversation=conversation, **self._own)
        await self._sender.ask("chat", conversation, request, queued=False, own_account=bool(self._own))


class ClientMemories(Memories):
    """Memories, and the conversations that they are made of. `by` is on record for what no user asks for."""

    def __init__(self, recorder: MessageRecorder, requests: Asking, user: str = "", by: str = "client") -> None:
        super().__init__(recorder, requests, user)
        self._conversations, self._by = recorder, by

    async def say(
        self,
        conversation: str,
        text: str,
        *,
        role: Role = "user",
        user: str = "",
        speaker: str = "",
        message: str = "",
        at: Moment | None = None,
        happened_ns: int = 0,
        recalled: Iterable[str] = (),
        agent: str = "",
    ) -> str:
        """Adds a message to a conversation; a user's own also asks for memories of it, in the same commit.

        `at` is when it was said, by default now. `recalled` names memories that the text repeats; `agent` is the agent
        that it is said to. Returns the message's id; the same id again is quiet. Raises: `Refused`; what the log
        raises.
        """
        if self.user and user not in ("", self.user):
            raise Refused(f"a client of {self.user[:60]!r} can't speak for {user[:60]!r}")
        added = MessageAdded(
            message=message or new_id(),
            role=role,
            text=text,
            user=user or self.user,
            speaker=speaker,
            happened_ns=moment_ns(at) or happened_ns,
            recalled=tuple(recalled),
            agent=agent,
        )
        encoded(added)
        await self._conversations.add_message(checked_id(conversation, "name of a conversation"), added)
        return added.message

    async def get(self, id: str, *, at_seq: int = 0, at: Moment | None = None) -> dict[str, Any]:
        """A memory with all its fields, now or at a sequence or time of the log. Raises: `NotFound`."""
        reply = await self.ask("memory.show", id=id, at_seq=at_seq, at_time_ns=moment_ns(at) or 0)
        return reply["row"]  # type: ignore[no-any-return]

    async def about(self, name: str, *, owner: str = "", depth: int = 1) -> list[dict[str, Any]]:
        """The facts about a name, and those that can be reached from it in `depth` steps."""
        rows: list[dict[str, Any]] = (await self.ask("memory.about", name=name, owner=owner, depth=depth))["rows"]
        return rows

    async def recent(self, limit: int = 100) -> list[dict[str, Any]]:
        """The newest events that memories are made of: the sensory level."""
        rows: list[dict[str, Any]] = (await self.ask("memory.recent", limit=limit))["rows"]
        return rows

    async def working(self, task: str, *, budget: int = 1000) -> dict[str, Any]:
        """The working memory of a task, as `text` within a budget of tokens."""
        return await self.ask("memory.working", task=task, budget=budget)

    async def statistics(self, *, at_seq: int = 0, at: Moment | None = None) -> dict[str, Any]:
        """How many memories there are, by kind, status, owner and origin; how far memory has read, and its size."""
        return await self.ask("memory.stats", at_seq=at_seq, at_time_ns=moment_ns(at) or 0)

    async def consolidate(self, since: Moment | None = None) -> dict[str, Any]:
        """Consolidates what was remembered since then, by default all; returns what came of it."""
        return await self.ask("memory.consolidate", LONG_S, since_ns=moment_ns(since) or 0)

    async def update(self, id: str, text: str, *, tags: Iterable[str] | None = None) -> None:
        """Puts a memory in other words; `tags` None leaves its tags. Raises: `NotFound`, `Refused`."""
        kept = None if tags is None else list(tags)
        await self.ask("memory.update", id=id, text=text, tags=kept, by=self._by)

    async def history(self, key: str = "", *, id: str = "", owner: str = "") -> list[dict[str, Any]]:
        """The versions of what was remembered under the key, or of a memory, oldest first, with `text`, `at`, `by`.

        Raises: `NotFound`.
        """
        rows: list[dict[str, Any]] = (await self.ask("memory.history", key=key, id=id, owner=owner))["rows"]
        return rows

    async def forget(self, *ids: str, **scope: Unpack[ForgetOptions]) -> dict[str, Any]:
        """Forgets memories, and what derives: by id, or within a scope (owner, session, agent, since, until).

        Returns the receipt: `ids`, `counts`, and `upto`, the position up to which nothing comes back.
        Raises: `NotFound`, `Refused`.
        """
        wanted = checked("forget", {"by": self._by} | scope, ForgetOptions)
        return await self.ask("memory.forget", LONG_S, ids=ids, **wanted)

    async def export(self, owner: str = "", **scope: Unpack[ExportOptions]) -> AsyncIterator[dict[str, Any]]:
        """All memories of the owner, by default those of the user of this client, oldest first."""
        wanted = checked("export", scope, ExportOptions, "owner")
        after: int | None = -1
        while after is not None:
            reply = await self.ask("memory.export", owner=owner, after=after, fresh=after < 0, **wanted)
            for row in reply["rows"]:
                yield row
            after = reply["after"]

    async def settings(self, owner: str = "", **changes: Unpack[SettingsOptions]) -> dict[str, Any]:
        """The settings of the owner, after these changes: memory, retention_days, language, zone, sharing.

        Raises: `Refused`.
        """
        wanted = checked("settings", {"by": self._by} | changes, SettingsOptions, "owner")
        reply: dict[str, Any] = await self.ask("memory.settings", owner=owner, **wanted)
        return reply["row"]  # type: ignore[no-any-return]

    async def archive(self, id: str, *, restore: bool = False, reason: str = "") -> None:
        """Archives a memory, so that searches skip it, or restores it. Raises: `NotFound`, `Refused`."""
        await self.ask("memory.archive", id=id, restore=restore, reason=reason, by=self._by)

    async def audit(self, id: str = "", **wanted: Unpack[AuditOptions]) -> list[dict[str, Any]]:
        """Who changed what, when and why, newest first: of a memory, or an owner. Raises: `NotFound`, `Refused`."""
        question = checked("audit", wanted, AuditOptions, "id")
        rows: list[dict[str, Any]] = (await self.ask("memory.audit", id=id, **question))["rows"]
        return rows
