"""The `EventLog` in memory: the same rules as on a server, with a clock and fault points for exact tests.

1. An append is stored and seen by every follower before it returns.
2. A fault before storing leaves no trace; a fault after storing leaves the record: the caller can't tell which.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Final, Literal, Self

from clawactors.eventlog.errors import EventLogError, TooLarge, Unavailable, WrongVersion
from clawactors.eventlog.headers import STATUS_LINE, header_lines
from clawactors.eventlog.keys import InProcessKeys, Keys
from clawactors.eventlog.log import EventLog, Head
from clawactors.eventlog.patterns import matcher
from clawactors.eventlog.record import ROOT, Draft, Record, purged_aggregate
from clawactors.eventlog.sealing import Sealer
from clawactors.eventlog.unsealing import UnsealingFollower

__all__ = ["Fault", "FaultPoint", "InProcessFollower", "InProcessLog", "append_each"]

MAX_BYTES: Final = 1 << 20

type FaultPoint = Literal["before", "after"]
type Fault = Callable[[FaultPoint, Draft], None]
"""Called before and after a draft is stored; what it raises (for example `Unavailable`) is raised to the appender."""

_identities = itertools.count(1)


async def append_each(log: EventLog, drafts: Sequence[tuple[Draft, int]]) -> list[int | EventLogError]:
    """Independent appends, one after the other; one outcome each. See `EventLog.append_many`."""
    outcomes: list[int | EventLogError] = []
    for draft, expected in drafts:
        try:
            outcomes.append(await log.append(draft, expected))
        except EventLogError as error:
            outcomes.append(error)
    return outcomes


class InProcessLog:
    """A log that lives as long as the process. `clock` gives nanoseconds since 1970."""

    def __init__(
        self, clock: Callable[[], int] = time.time_ns, fault: Fault | None = None, keys: Keys | None = None
    ) -> None:
        self.clock, self.fault = clock, fault
        self.sealer = Sealer(keys or InProcessKeys(), lambda: clock() / 1e9)
        self._identity = f"inprocess-{next(_identities)}"
        self._records: list[Record | None] = []
        self._aggregates: dict[str, list[Record]] = {}
        self._followers: list[InProcessFollower] = []
        self._purged = self._size_bytes = 0
        self._closed = False

    @property
    def last_seq(self) -> int:
        """Sequence of the newest record."""
        return len(self._records)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ends the followers; later appends are `Unavailable`."""
        self._closed = True
        for follower in list(self._followers):
            await follower.aclose()

    async def append(self, draft: Draft, expected: int) -> int:
        """Stores the draft if its aggregate is at version `expected`; returns the new version. See `EventLog`."""
        draft = await self.sealer.seal(draft)
        headers = f"{STATUS_LINE}{header_lines(draft, expected)}\r\n".encode()
        if len(headers) + len(draft.body) > MAX_BYTES:
            raise TooLarge(len(headers) + len(draft.body), MAX_BYTES)
        if self._closed:
            raise Unavailable("the log is closed")
        if self.fault is not None:
            self.fault("before", draft)
        stored = self._aggregates.get(draft.aggregate, [])
        version = stored[-1].seq if stored else 0
        if version == expected:
            version = self.publish(draft.subject, draft.body, headers)
        else:
            found = self._stored_as(draft, expected)
            if found is None:
                raise WrongVersion(draft.aggregate, expected, version)
            version = found
        if self.fault is not None:
            self.fault("after", draft)
        return version

    async def append_many(self, drafts: Sequence[tuple[Draft, int]]) -> list[int | EventLogError]:
        """Independent appends; one outcome each. See `EventLog`."""
        return await append_each(self, drafts)

    async def append_all(self, drafts: Sequence[tuple[Draft, int]]) -> list[int]:
        """Appends to distinct aggregates, all of them or none. See `EventLog`."""
        outcomes = [self._stored_as(draft, expected) for draft, expected in drafts]
        if all(outcomes):
            return [version for version in outcomes if version is not None]
        for draft, expected in drafts:
            stored = self._aggregates.get(draft.aggregate, [])
            if (version := stored[-1].seq if stored else 0) != expected:
                raise WrongVersion(draft.aggregate, expected, version)
        return [await self.append(draft, expected) for draft, expected in drafts]

    def _stored_as(self, draft: Draft, expected: int) -> int | None:
        """The version that the draft has, where it is stored already."""
        stored = self._aggregates.get(draft.aggregate, [])
        later = (record.seq for record in reversed(stored) if record.seq > expected and record.commit == draft.commit)
        return next(later, None)

    def publish(self, subject: str, body: bytes, headers: bytes = b"") -> int:
        """Stores any message without a guard, as a person with a NATS client could; returns its sequence."""
        record = Record(len(self._records) + 1, self.clock(), subject, body, headers)
        self._records.append(record)
        self._size_bytes += len(subject) + len(headers) + len(body)
        parts = subject.split(".", 3)
        if len(parts) == 4 and parts[0] == ROOT:
            self._aggregates.setdefault(f"{parts[1]}/{parts[2]}", []).append(record)
        for follower in self._followers:
            follower.wake()
        return record.seq

    def read(
        self,
        patterns: Sequence[str],
        *,
        after: int = 0,
        since_ns: int | None = None,
        until: int | None = None,
        ahead: bool = False,
    ) -> AsyncGenerator[list[Record]]:
        """Batches of the records matching any pattern, with `after < seq`, up to `until` or the present end."""
        return self.sealer.reading(self.sealed(patterns, after=after, since_ns=since_ns, until=until))

    async def sealed(
        self, patterns: Sequence[str], *, after: int = 0, since_ns: int | None = None, until: int | None = None
    ) -> AsyncGenerator[list[Record]]:
        """As `read`, but as stored."""
        end = len(self._records) if until is None else min(until, len(self._records))
        fits = matcher(patterns)
        for batch in itertools.batched(self._records[after:end], 1000):
            matching = [
                record
                for record in batch
                if record is not None and fits(record.subject) and (since_ns is None or record.at_ns >= since_ns)
            ]
            if matching:
                yield matching

    async def follow(
        self, patterns: Sequence[str], *, after: int | None = None, sparse: bool = False
    ) -> UnsealingFollower:
        """Follows the log from `after`; None starts with the next append."""
        if self._closed:
            raise Unavailable("the log is closed")
        follower = InProcessFollower(
            self._records, self._followers, matcher(patterns), len(self._records) if after is None else after
        )
        self._followers.append(follower)
        return UnsealingFollower(follower, self.sealer.open)

    async def head(self) -> Head:
        """The present end of the log."""
        last = len(self._records)
        first = next((record.seq for record in self._records if record is not None), 0)
        return Head(self._identity, first, last, last - self._purged, self._size_bytes, self.clock())

    async def purge(self, kind: str, id: str, before: int) -> int:
        """Removes the records of an aggregate before that sequence. See `EventLog`."""
        stored = self._aggregates.get(purged_aggregate(kind, id, before), [])
        gone = [record for record in stored[:-1] if record.seq < before]
        for record in gone:
            self._records[record.seq - 1] = None
            self._size_bytes -= len(record.subject) + len(record.headers) + len(record.body)
        stored[: len(gone)] = []
        self._purged += len(gone)
        return len(gone)


class InProcessFollower:
    """A `Follower` on the list of records."""

    def __init__(
        self,
        records: list[Record | None],
        followers: "list[InProcessFollower]",
        fits: Callable[[str], object],
        after: int,
    ) -> None:
        self._records, self._followers, self._fits = records, followers, fits
        self._position = after
        self._changes: list[asyncio.Future[None]] = []
        self._closed = False

    @property
    def position(self) -> int:
        """The sequence up to which all matching records were handed out."""
        return self._position

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Record]:
        while not self._closed:
            if self._position < len(self._records):
                batch = [
                    each for each in self._records[self._position :] if each is not None and self._fits(each.subject)
                ]
                self._position = len(self._records)
                self.wake()
                if batch:
                    return batch
            await self._change()
        raise StopAsyncIteration

    async def caught_up(self) -> None:
        """Returns when all records that were in the log at the call have been handed out."""
        end = len(self._records)
        while any(each is not None and self._fits(each.subject) for each in self._records[self._position : end]):
            if self._closed:
                raise Unavailable("the follower is closed")
            await self._change()

    async def aclose(self) -> None:
        """Stops it; a waiting iteration ends. Order: idempotent."""
        self._closed = True
        if self in self._followers:
            self._followers.remove(self)
        self.wake()

    def wake(self) -> None:
        """Wakes all that wait for a change."""
        changes, self._changes = self._changes, []
        for waiter in changes:
            if not waiter.done():
                waiter.set_result(None)

    async def _change(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._changes.append(waiter)
        await waiter
