"""The port of the log: append with an expected version, read, follow. Adapters: `InProcessLog`, `JetStreamLog`."""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol, Self

import msgspec

from clawactors.eventlog.errors import EventLogError
from clawactors.eventlog.record import Draft, Record

__all__ = ["EventLog", "Follower", "Head"]


class Head(msgspec.Struct, frozen=True):
    """The end of a log and its identity: a recreated log has another `identity`, even under the same name.

    `at_ns` is the time by the log's clock, in ns since 1970; 0 if it is not known.
    """

    identity: str
    first_seq: int
    last_seq: int
    messages: int
    size_bytes: int
    at_ns: int = 0


class Follower(Protocol):
    """Reads the log in order and without end, in batches as they arrive. No record is skipped or repeated."""

    @property
    def position(self) -> int:
        """The sequence up to which all matching records were handed out."""
        ...

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> list[Record]:
        """All waiting records, at least one; ends when the follower is closed."""
        ...

    async def caught_up(self) -> None:
        """Returns when the follower has handed out all records that were in the log at the call."""
        ...

    async def aclose(self) -> None:
        """Stops it; a waiting iteration ends."""
        ...


class EventLog(Protocol):
    """An append-only log of commits, grouped in aggregates, ordered as a whole."""

    async def append(self, draft: Draft, expected: int) -> int:
        """Stores the draft if its aggregate is at version `expected`; returns the new version.

        When it returns, the commit is durable. A repeated append of a stored draft returns its version.
        Raises: `WrongVersion`, `Unavailable` (it may or may not be stored: repeat the call to learn which),
        `TooLarge`, `PermissionDenied`.
        """
        ...

    async def append_many(self, drafts: Sequence[tuple[Draft, int]]) -> list[int | EventLogError]:
        """Independent appends to distinct aggregates: one outcome each, in the order of the drafts."""
        ...

    async def append_all(self, drafts: Sequence[tuple[Draft, int]]) -> list[int]:
        """Appends to 1 to 1,000 distinct aggregates, all of them or none; the versions in the order of the drafts.

        Raises: `WrongVersion` (another writer was first at one of them), and as `append`.
        """
        ...

    def read(
        self,
        patterns: Sequence[str],
        *,
        after: int = 0,
        since_ns: int | None = None,
        until: int | None = None,
        ahead: bool = False,
    ) -> AsyncGenerator[list[Record]]:
        """Batches of the records matching any pattern, with `after < seq`, up to `until` or the present end.

        `ahead`: of a long part, records are read while the caller works on earlier ones, and come in large batches.
        Close it (`aclosing`) when you stop before that.
        """
        ...

    async def follow(self, patterns: Sequence[str], *, after: int | None = None, sparse: bool = False) -> Follower:
        """Follows the log from `after`; None starts with the next append.

        `sparse`: only a small part of the log matches, so that it is not worth being sent all of it.
        When it returns, the follower is in place: it sees every later append.
        """
        ...

    async def head(self) -> Head:
        """The present end of the log."""
        ...

    async def purge(self, kind: str, id: str, before: int) -> int:
        """Removes the records of an aggregate before that sequence, and says how many there were.

        The record at `before` says why; the last record of an aggregate stays. Order: idempotent.
        Raises: `Unavailable`, `Misconfigured` (the stream's settings or rights forbid it).
        """
        ...
