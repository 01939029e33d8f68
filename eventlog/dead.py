"""Dead letters, the records that no reader can use: the port, and its adapter within one process."""

from typing import Protocol

import msgspec

from clawactors.eventlog.record import Record

__all__ = ["DeadLetter", "DeadLetters", "InProcessDeadLetters"]


class DeadLetter(msgspec.Struct, frozen=True):
    """A copy, at `seq` of its store; `subject` and `of_seq` are those of the original, `at_ns` is when it was made."""

    seq: int
    at_ns: int
    subject: str
    of_seq: int
    reason: str
    body: bytes


class DeadLetters(Protocol):
    """The store of records that no reader can use; people look at it."""

    async def copy(self, record: Record, reason: str) -> None:
        """Stores a copy of the record with the reason, once. Raises: `Unavailable`. Order: idempotent."""
        ...

    async def bounds(self) -> tuple[int, int]:
        """The first and the last sequence; the last is less where it is empty. Raises: `Unavailable`."""
        ...

    async def at(self, seq: int) -> DeadLetter | None:
        """The letter at that sequence, None where there is none. Raises: `Unavailable`."""
        ...

    async def drop(self, seq: int) -> bool:
        """Removes it; False where there was none. Raises: `Unavailable`."""
        ...


class InProcessDeadLetters:
    """Bad records by sequence: `letters` holds `(record, reason)`."""

    def __init__(self) -> None:
        self.letters: dict[int, tuple[Record, str]] = {}

    async def copy(self, record: Record, reason: str) -> None:
        """Stores the record once."""
        self.letters.setdefault(record.seq, (record, reason))

    async def bounds(self) -> tuple[int, int]:
        """The first and the last sequence."""
        return min(self.letters, default=1), max(self.letters, default=0)

    async def at(self, seq: int) -> DeadLetter | None:
        """The letter at that sequence."""
        if (found := self.letters.get(seq)) is None:
            return None
        record, reason = found
        return DeadLetter(seq, record.at_ns, record.subject, record.seq, reason, record.body)

    async def drop(self, seq: int) -> bool:
        """Removes it."""
        return self.letters.pop(seq, None) is not None
