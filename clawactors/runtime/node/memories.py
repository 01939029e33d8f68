"""Memory as a running task uses it: `task.remember`, `task.recall`.

1. The id of a memory follows from the task and the text: a resume remembers nothing twice.
2. A recalled text is no new evidence: remembering it again returns the memory that it came from.
"""

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from clawactors.kernel.errors import Refused
from clawactors.runtime.memory import Memories, content_of
from clawactors.runtime.node.attempt.journal import submitted
from clawactors.runtime.node.codetasks import at_work
from clawactors.runtime.packing import Count
from clawactors.systems.memories import Content
from clawactors.systems.tasks import events as e

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["TaskMemories"]

_RECALLED_MAX: Final = 1000


class TaskMemories:
    """Memory for one attempt."""

    def __init__(self, attempt: "Attempt", memories: Memories | None) -> None:
        self._attempt, self._memories = attempt, memories
        self._recalled: dict[str, str] = {}
        self._spec: e.Spec | None = None

    @at_work
    async def remember(self, /, text: str, tags: Iterable[str] = (), **more: Any) -> str:
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
        spec = await self._submitted()
        given = {
            "owner": spec.user if spec else "",
            "speaker": self._attempt.skill.name if self._attempt.skill else "",
            "sources": (self._attempt.journal.version,),
            "origin": "task",
        } | more
        content: Content = content_of(text, tags, given)
        named = hashlib.blake2b(content.text.encode("utf-8", "replace"), digest_size=16).hexdigest()
        return await memories.record(content, f"task/{self._attempt.id}/note/{named}")

    @at_work
    async def recall(self, /, text: str, limit: int = 5, **wanted: Any) -> list[dict[str, Any]]:
        """See `TaskContext.recall`."""
        self._attempt.check()
        rows = await self._memory().recall(text, limit=limit, task=self._attempt.id, **wanted)
        self._note_recalled(rows)
        return rows

    @at_work
    async def context(
        self, /, text: str, tokens: int = 2000, count: Count | None = None, **wanted: Any
    ) -> dict[str, Any]:
        """See `TaskContext.context`."""
        self._attempt.check()
        memories = self._memory()
        reply = await memories.context(text, tokens=tokens, count=count, task=self._attempt.id, **wanted)
        self._note_recalled(reply["items"])
        return reply

    @at_work
    async def ask(self, name: str, /, **question: Any) -> dict[str, Any]:
        """See `TaskContext.ask_memory`."""
        self._attempt.check()
        return await self._memory().ask(name, **question)

    def _note_recalled(self, rows: Iterable[dict[str, Any]]) -> None:
        if len(self._recalled) < _RECALLED_MAX:
            for row in rows:
                self._recalled |= {_folded(row["text"]): row["id"], _folded(row["excerpt"]): row["id"]}

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
