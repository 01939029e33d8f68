"""The port of the log: append with an expected version, read, follow. Adapters: `InProcessLog`, `JetStreamLog`."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, Self

import msgspec

from clawactors.eventlog.errors import EventLogError
from clawactors.eventlog.record import Draft, Record

__all__ = ["EventLog", "Follower", "Head"]


class Head(msgspec.Struct, frozen=True):
    """The end of a log, and which log it is: a recreated log has another `identity` even if the name is the same.

    `at_ns` is what the log's own clock shows, 0 where it does not tell.
    """

    identity: str
    first_seq: int
    last_seq: int
    messages: int
    size_bytes: int
    at_ns: int = 0


class Follower(Protocol):
    """An endless reading of the log in order, in batches as they arrive. Nothing is skipped, nothing comes twice."""

    @property
    def position(self) -> int:
        """Sequence up to which everything matching has been handed out."""
        ...

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> list[Record]:
        """All records that wait, at least one; ends when the follower is closed."""
        ...

    async def caught_up(self) -> None:
        """Returns once the follower has handed out all that was in the log when this was called."""
        ...

    async def aclose(self) -> None:
        """Stops it; a waiting iteration ends."""
        ...


class EventLog(Protocol):
    """An append-only log of commits, grouped in aggregates, ordered as a whole."""

    async def append(self, draft: Draft, expected: int) -> int:
        """Stores the draft if its aggregate is at version `expected`; returns the new version.

        When it returns, the commit is durable. A resend of a stored draft returns the version it has.
        Raises: `WrongVersion`, `Unavailable` (it may or may not be stored: the same call later tells),
        `TooLarge`, `PermissionDenied`.
        """
        ...

    async def append_many(self, drafts: Sequence[tuple[Draft, int]]) -> list[int | EventLogError]:
        """As many appends, independent of each other and of distinct aggregates: one outcome each, in their order."""
        ...

    async def append_all(self, drafts: Sequence[tuple[Draft, int]]) -> list[int]:
        """Appends to 1 to 1,000 distinct aggregates, all of them or none; the versions in the order of the drafts.

        Raises: `WrongVersion` (somebody else was first at one of them), as `append`.
        """
        ...

    def read(
        self, patterns: Sequence[str], *, after: int = 0, since_ns: int | None = None, until: int | None = None
    ) -> AsyncIterator[list[Record]]:
        """Batches of the records matching any pattern, with `after < seq`, up to `until` or the present end."""
        ...

    async def follow(self, patterns: Sequence[str], *, after: int | None = None) -> Follower:
        """Reads on from `after` for ever; None starts with what is appended from now on.

        When it returns, the follower is in place: whatever is appended later will be seen.
        """
        ...

    async def head(self) -> Head:
        """Where the log ends now."""
        ...
