"""The `EventLog` on JetStream."""

import contextlib
from collections.abc import AsyncGenerator, Sequence
from types import TracebackType
from typing import Any, Final, Self

from clawactors.eventlog.errors import EventLogError, Misconfigured
from clawactors.eventlog.jetstream.log import provision
from clawactors.eventlog.jetstream.log.atomic import append_all
from clawactors.eventlog.jetstream.log.follower import PushFollower
from clawactors.eventlog.jetstream.log.publisher import Publisher
from clawactors.eventlog.jetstream.log.reader import read
from clawactors.eventlog.jetstream.log.room import AskHealth
from clawactors.eventlog.jetstream.log.source import StreamSource
from clawactors.eventlog.jetstream.log.verdict import StreamWitness, Witness
from clawactors.eventlog.jetstream.stores.keys import JetStreamKeys
from clawactors.eventlog.jetstream.wire.api import Refusal, call
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.jetstream.wire.contexts import Address
from clawactors.eventlog.keys import Keys
from clawactors.eventlog.log import Head
from clawactors.eventlog.record import Draft, Record, aggregate_pattern, purged_aggregate
from clawactors.eventlog.sealing import Sealer
from clawactors.eventlog.unsealing import UnsealingFollower

__all__ = ["JetStreamLog"]

TIMEOUT_S: Final = 30.0
LONG: Final = 50_000
"""Sequences that are worth another process to read them: it takes about half a second to start."""


class JetStreamLog:
    """The log in the stream `CLAW_EVENTS` of a nats-server or cluster; an `EventLog`.

    Stores and requests on the same server share its `connection`.
    """

    def __init__(
        self,
        connection: Connection,
        source: StreamSource,
        timeout_s: float = TIMEOUT_S,
        witness: Witness | None = None,
        keys: Keys | None = None,
    ) -> None:
        self.connection = connection
        self._source = source
        witness = witness or StreamWitness(connection, source.stream)
        self._publisher = Publisher(connection, source.stream, witness, timeout_s, lagging=source.replicas > 1)
        self._timeout_s = timeout_s
        self.sealer = Sealer(keys or JetStreamKeys(connection))

    @classmethod
    async def connect(
        cls,
        url: Address | str | None = None,
        name: str = "claw",
        *,
        kinds: Sequence[str] = (),
        replicas: int | None = None,
        create: bool = True,
        timeout_s: float = TIMEOUT_S,
        inbox: str = "",
    ) -> Self:
        """Opens a connection called `name`, checks the streams and, with `create`, creates those that are missing.

        `kinds` are the kinds of aggregates that the log holds, each under `claw.<kind>.>`; only `create` needs them.
        `url` may hold user and password, and several servers separated by commas; None means what the nats CLI would
        use. Reply subjects lie under `inbox`, "" for the address's own.
        `timeout_s` is how long an append in doubt is retried. `replicas` None means 3 on a cluster, else 1.
        Raises: `Unavailable` (no server; `NoSuchLog`: no streams), `Misconfigured` (password, version, JetStream,
        foreign stream).
        """
        connection = await Connection.open(url, name, inbox=inbox)
        try:
            if create:
                return cls._over(connection, await provision.ensure(connection, kinds, replicas), timeout_s)
            return await cls.over(connection, timeout_s)
        except BaseException:
            await connection.aclose()
            raise

    @classmethod
    async def over(cls, connection: Connection, timeout_s: float = TIMEOUT_S) -> Self:
        """The log over a connection that is open already; creates nothing. Raises: as `connect`."""
        return cls._over(connection, await provision.check(connection), timeout_s)

    @classmethod
    def _over(cls, connection: Connection, info: dict[str, Any], timeout_s: float) -> Self:
        source = StreamSource(connection, info)
        return cls(connection, source, timeout_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connection; appends and followers that still wait end with `Unavailable`."""
        await self.connection.aclose()

    @property
    def trouble(self) -> str:
        """Why the server could store nothing lately, '' once it can again."""
        return self._publisher.trouble

    def watch_room(self, health: AskHealth) -> None:
        """From now on a server that does not answer is asked how it is, so that appends to a full disk fail soon."""
        self._publisher.watch_room(health)

    @property
    def identity(self) -> str:
        """Identifies the log: a recreated log has another identity."""
        return self._source.identity

    async def append(self, draft: Draft, expected: int) -> int:
        """Stores the draft if its aggregate is at version `expected`; returns the new version. See `EventLog`."""
        if draft.parts:
            draft = await self.sealer.seal(draft)
        return await self._publisher.append(draft, expected)

    async def append_many(self, drafts: Sequence[tuple[Draft, int]]) -> list[int | EventLogError]:
        """Independent appends; one outcome each. See `EventLog`."""
        return await self._publisher.append_many(await self.sealer.seal_all(drafts))

    async def append_all(self, drafts: Sequence[tuple[Draft, int]]) -> list[int]:
        """Appends to distinct aggregates, all of them or none. See `EventLog`."""
        sealed = await self.sealer.seal_all(drafts)
        return await append_all(self.connection, self._source.stream, sealed, self._timeout_s)

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
        return self.sealer.reading(self.sealed(patterns, after=after, since_ns=since_ns, until=until, ahead=ahead))

    def sealed(
        self,
        patterns: Sequence[str],
        *,
        after: int = 0,
        since_ns: int | None = None,
        until: int | None = None,
        ahead: bool = False,
    ) -> AsyncGenerator[list[Record]]:
        """As `read`, but as stored: for copies, which must become unreadable with the original."""
        if ahead and since_ns is None:
            return self._read_ahead(tuple(patterns), after, until)
        return read(self._source, patterns, after, since_ns, until, self._timeout_s)

    async def _read_ahead(
        self, patterns: tuple[str, ...], after: int, until: int | None
    ) -> AsyncGenerator[list[Record]]:
        last = (await self.head()).last_seq
        end = last if until is None else min(until, last)

        def part(patterns: Sequence[str], after: int, until: int) -> AsyncGenerator[list[Record]]:
            return read(self._source, patterns, after, None, until, self._timeout_s)

        if end - after < LONG:
            reading = part(patterns, after, end)
        else:
            from clawactors.eventlog.jetstream.log.readahead import ReadAheadStart, read_ahead

            reading = read_ahead(ReadAheadStart(self.connection.address, patterns, end), after, part)
        async with contextlib.aclosing(reading):
            async for records in reading:
                yield records

    async def follow(
        self, patterns: Sequence[str], *, after: int | None = None, sparse: bool = False
    ) -> UnsealingFollower:
        """Follows the log from `after`; None starts with the next append. See `EventLog`."""
        if after is None:
            after = (await self._source.state())["last_seq"]
        return UnsealingFollower(
            await PushFollower(self._source, patterns, after).open(sparse=sparse), self.sealer.open
        )

    async def head(self) -> Head:
        """The present end of the log."""
        state = await self._source.state()
        return Head(
            self._source.identity,
            state["first_seq"],
            state["last_seq"],
            state["messages"],
            state["bytes"],
            state["at_ns"],
        )

    async def purge(self, kind: str, id: str, before: int) -> int:
        """Removes the records of an aggregate before that sequence. See `EventLog`."""
        purged_aggregate(kind, id, before)
        which = {"filter": aggregate_pattern(kind, id), "seq": before}
        try:
            answer = await call(self.connection, f"STREAM.PURGE.{self._source.stream}", which, self._timeout_s)
        except Refusal as refusal:
            raise Misconfigured(
                f"the stream {self._source.stream} does not let histories be purged: {refusal.description}"
            ) from None
        purged: int = answer.get("purged", 0)
        return purged
