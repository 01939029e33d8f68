"""What a node asks control for, because the server lets it read neither the log nor the keys: see docs/rights.md."""

from collections.abc import AsyncIterator

import msgspec

from clawactors.eventlog import PermissionDenied, Record
from clawactors.eventlog.keys import SealingKey
from clawactors.runtime.asking import checked_reply
from clawactors.runtime.client.history import read_records
from clawactors.runtime.keyasking import KEY, KeyQuestion, KeyReply
from clawactors.runtime.questions import Questions

__all__ = ["AskedKeys", "AskedRecords"]

_decode = msgspec.json.Decoder(KeyReply).decode
_encode = msgspec.json.Encoder().encode


class AskedRecords:
    """The records of aggregates."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def __call__(self, pattern: str, after: int, until: int | None) -> AsyncIterator[Record]:
        """Those of one aggregate, oldest first. Raises: `Unavailable`."""
        _, kind, id, _ = pattern.split(".")
        return read_records(self._questions, kind, id, until, after)


class AskedKeys:
    """The keys that a node seals and opens with; it neither replaces nor erases any."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    async def present(self, owner: str) -> SealingKey:
        """The key to seal with. Raises: `Unavailable`."""
        key = await self._ask(KeyQuestion(owner))
        if key is None:
            raise PermissionDenied(f"the key of {owner}", "ask for")
        return key

    async def find(self, owner: str, name: str) -> SealingKey | None:
        """That key, None where it is not there. Raises: `Unavailable`."""
        return await self._ask(KeyQuestion(owner, name))

    async def replace(self, owner: str) -> SealingKey:
        """Raises: `PermissionDenied`."""
        raise PermissionDenied(f"the key of {owner}", "replace")

    async def names(self, owner: str) -> tuple[str, ...]:
        """Raises: `PermissionDenied`."""
        raise PermissionDenied(f"the keys of {owner}", "list")

    async def erase(self, owner: str, name: str) -> None:
        """Raises: `PermissionDenied`."""
        raise PermissionDenied(f"the key {name} of {owner}", "erase")

    async def _ask(self, question: KeyQuestion) -> SealingKey | None:
        reply = checked_reply(_decode(await self._questions.ask(KEY, _encode(question))))
        return SealingKey(question.owner, reply.name, reply.secret) if reply.name else None
