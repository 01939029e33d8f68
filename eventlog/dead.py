"""Dead letters, the records that no reader can use: the port, and its adapter within one process."""

from typing import Protocol

from clawactors.eventlog.record import Record

__all__ = ["DeadLetters", "InProcessDeadLetters"]


class DeadLetters(Protocol):
    """The store of records that no reader can use; people look at it."""

    async def copy(self, record: Record, reason: str) -> None:
        """Stores a copy of the record with the reason, once. Raises: `Unavailable`. Order: idempotent."""
        ...


class InProcessDeadLetters:
    """Bad records by sequence: `letters` holds `(record, reason)`."""

    def __init__(self) -> None:
        self.letters: dict[int, tuple[Record, str]] = {}

    async def copy(self, record: Record, reason: str) -> None:
        """Stores the record once."""
        self.letters.setdefault(record.seq, (record, reason))
