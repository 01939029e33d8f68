"""Memory as a running task uses it: `task.remember`, `task.recall`.

1. The id of a memory follows from the task and the text, or from a key: a resume remembers nothing twice.
2. What was recalled is on record in the task, and in those that it passes it on to: children, forks, what comes after
   it, and the parent that takes its result. A recalled text is no new evidence: remembering it again returns the memory
   that it came from, and what is remembered later names what had been recalled.
3. A task reads for its user: their own memories and what nobody owns; a task without a user, what nobody owns.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from clawactors.kernel.errors import Exists, Refused
from clawactors.runtime.memory import Memories, content_of
from clawactors.runtime.node.attempt.journal import submitted
from clawactors.runtime.node.codetasks import at_work
from clawactors.runtime.packing import Count
from clawactors.systems.chats.events import EXTRACT
from clawactors.systems.memories import Content, memory_id
from clawactors.systems.tasks import events as e

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["TaskMemories"]

_RECALLED_MAX: Final = 1000
_REPEATING: Final = frozenset(f"memory.{name}" for name in ("search", "context", "show", "export", "history", "about"))
"""Questions whose answers say what memories say."""


class TaskMemories:
    """Memory for one attempt."""

    def __init__(self, attempt: "Attempt", memories: Memories | None) -> None:
        self._attempt, self._memories = attempt, memories
        self._recalled: dict[str, str] = {}
        self._spec: e.Spec | None = None

    @at_work
    async def remember(self, /, text: str, tags: Iterable[str] = (), key: str = "", **more: Any) -> str:
        """See `TaskContext.remember`."""
        self._attempt.check()
        memories = self._memory()
        if not isinstance(text, str):
            raise Refused(f"a memory is a text, not {type(text).__name__}")
        if self._attempt.supplies.secrets.hide(text) != text:
            raise Refused(
                "the text holds a secret of this node, and memories are stored as plain text: leave the secret out"
            )
        if (known := self._recalled.get(_folded(text))) is not None:
            return known
        asked = await self._submitted() or e.Spec(skill="")
        user = asked.user
        given = {
            "owner": user,
            "speaker": self._skill,
            "sources": (self._attempt.journal.version,),
            "origin": "task",
            "derived_from": tuple(dict.fromkeys((*asked.recalled, *self._attempt.journal.ahead.life.recalled))),
        } | more
        content: Content = content_of(text, tags, given)
        if user and content.owner not in ("", user):
            raise Refused(f"a task of {user[:60]!r} can't remember for {content.owner[:60]!r}")
        if key:
            return await self._replace(memories, content, key)
        named = hashlib.blake2b(content.text.encode("utf-8", "replace"), digest_size=16).hexdigest()
        return await memories.record(content, f"task/{self._attempt.id}/note/{named}")

    @at_work
    async def recall(self, /, text: str, limit: int = 5, **wanted: Any) -> list[dict[str, Any]]:
        """See `TaskContext.recall`."""
        self._attempt.check()
        rows = await self._memory().recall(text, limit=limit, **(wanted | await self._asker()))
        self._note_recalled(rows)
        return rows

    @at_work
    async def context(
        self, /, text: str, tokens: int = 2000, count: Count | None = None, **wanted: Any
    ) -> dict[str, Any]:
        """See `TaskContext.context`."""
        self._attempt.check()
        memories = self._memory()
        reply = await memories.context(text, tokens=tokens, count=count, **(wanted | await self._asker()))
        self._note_recalled(reply["items"])
        return reply

    @at_work
    async def ask(self, name: str, /, **question: Any) -> dict[str, Any]:
        """See `TaskContext.ask_memory`."""
        self._attempt.check()
        if name != EXTRACT:  # it names a user itself, and is checked against the log
            question = {"task": self._attempt.id} | question | {"user": await self._user(), "skill": self._skill}
        reply = await self._memory().ask(name, **question)
        if name in _REPEATING:
            self._note_recalled(_rows_in(reply))
        return reply

    def _note_recalled(self, rows: Sequence[dict[str, Any]]) -> None:
        self._attempt.note_recalled([id for row in rows for id in (row["id"], *row.get("also", ()))])
        if len(self._recalled) < _RECALLED_MAX:
            said = ((row.get(part), row["id"]) for row in rows for part in ("text", "excerpt"))
            self._recalled |= {_folded(text): id for text, id in said if text}

    async def _replace(self, memories: Memories, content: Content, key: str) -> str:
        """Remembers it in place of what the key stood for, which only the memory process may change."""
        try:
            return await memories.record(content, key)
        except Exists:
            id = memory_id(content.owner, key)
            given: dict[str, Any] = {"text": content.text, "tags": content.tags, "derived_from": content.derived_from}
            await memories.ask("memory.update", id=id, **given, **await self._asker())
            return id

    async def _asker(self) -> dict[str, Any]:
        return {"task": self._attempt.id, "user": await self._user(), "skill": self._skill}

    @property
    def _skill(self) -> str:
        return self._attempt.skill.name if self._attempt.skill else ""

    async def _user(self) -> str:
        spec = await self._submitted()
        return spec.user if spec else ""

    def _memory(self) -> Memories:
        if self._memories is None:
            raise Refused("this node has no memory to ask")
        return self._memories

    async def _submitted(self) -> e.Spec | None:
        """What was submitted: `task.scheduled` does not name the user."""
        if self._spec is None:
            self._spec = await self._attempt.retry_while_unavailable(lambda: submitted(self._attempt))
        return self._spec


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _rows_in(reply: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of an answer about memories."""
    found = [reply.get("row"), *reply.get("rows", ()), *reply.get("items", ())]
    return [row for row in found if isinstance(row, dict) and isinstance(row.get("id"), str)]
