"""Where bad records are kept for people: the port, and its adapter within one process."""

from typing import Protocol

from clawactors.eventlog.record import Record

__all__ = ["DeadLetters", "InProcessDeadLetters"]


class DeadLetters(Protocol):
    """Where bad records are kept for people."""

    async def copy(self, record: Record, reason: str) -> None:
        """Keeps the record and why it is there; once, however often it is copied. Raises: `Unavailable`."""
        ...


class InProcessDeadLetters:
    """Bad records by sequence: `letters` holds `(record, reason)`."""

    def __init__(self) -> None:
        self.letters: dict[int, tuple[Record, str]] = {}

    async def copy(self, record: Record, reason: str) -> None:
        """Keeps the record once."""
        self.letters.setdefault(record.seq, (record, reason))
