"""Keys that expire, in the memory of the server: presence, and the term of a leader.

1. A key has one holder: it is acquired only if it is absent, and renewed only by the revision that its holder wrote.
2. The server expires a key in whole seconds: a term is rounded up, and may last 1.3 s longer than requested.
3. The store is in memory: after a restart of the server it is created again, empty. No message tells what was lost.
4. A value without a term, or with a longer term than requested, is not a lease: written by hand, it would block the
   key. The next one to acquire the key overwrites it.
"""

import asyncio
import math
import re
import secrets
from collections.abc import AsyncIterator
from typing import Final

import msgspec

from clawactors.eventlog.errors import EventLogError, Misconfigured, NoResponders, Unavailable
from clawactors.eventlog.jetstream.log.provision import ensure_store
from clawactors.eventlog.jetstream.log.streams import LIVE
from clawactors.eventlog.jetstream.log.verdict import named_sequence
from clawactors.eventlog.jetstream.stores.lease_watch import LEASE_PREFIX, LeaseWatch
from clawactors.eventlog.jetstream.wire.api import ApiError, Refusal, StoredMessage, last_message, last_of_subject
from clawactors.eventlog.jetstream.wire.codes import IN_FLIGHT, NO_STREAM, WRONG_LAST_SEQUENCE
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.record import Record

__all__ = ["JetStreamLease", "JetStreamLeases"]

_KEY = re.compile(r"[-/_=.a-zA-Z0-9]+")
_TIMEOUT_S: Final = 2.0
_ELECTION_S: Final = 5.0
"""On a cluster, a store that was just created or has lost a server has no leader at first."""
_LOOK_AGAIN_S: Final = 0.05
_LOOKS: Final = 3


class _LeaseAnswer(msgspec.Struct):
    seq: int = 0
    error: ApiError | None = None


class _Taken(EventLogError):
    """The key has another revision."""

    def __init__(self, revision: int) -> None:
        super().__init__(f"the key is at revision {revision}")
        self.revision = revision


class JetStreamLeases:
    """The keys of the bucket `claw-live`. `makes`: this process creates it where a restarted server has lost it."""

    def __init__(self, connection: Connection, *, makes: bool = True) -> None:
        self._connection, self._makes = connection, makes

    async def acquire(self, key: str, value: bytes, ttl_s: float, over: bytes | None = None) -> "JetStreamLease | None":
        """The lease, None while another holder has the key. Raises: `Unavailable`, `PermissionDenied`.

        `over`: also from a holder with that value, who is known to be gone; one who renews meanwhile keeps the key.
        """
        lease = JetStreamLease(self, key, max(1, math.ceil(ttl_s)))
        revision = 0
        while True:
            try:
                await lease.write(value, revision)
            except _Taken as taken:
                found = await self.at(lease.subject, taken.revision) if taken.revision else None
                if found is not None and lease.adopt(found):
                    return lease
                if found is not None and _is_live(found) and _term_s(found) <= lease.ttl_s:
                    if revision or found.data != over:
                        return None
                    revision = found.seq
                    continue
                if taken.revision == revision:
                    raise Unavailable(f"the key {key!r} changes too fast") from None
                revision = taken.revision if found is not None else 0
                continue
            return lease

    async def get(self, key: str) -> bytes | None:
        """The value of a key, None if nobody holds it."""
        try:
            found = await last_message(self._connection, LIVE, _subject(key))
        except (Refusal, NoResponders):
            await self.heal()
            return None
        return found.data if found is not None and _is_live(found) else None

    async def watch(self, prefix: str) -> AsyncIterator[tuple[str, bytes | None]]:
        """Present and future values of the keys with the prefix; None when a key is given up.

        A key that expires is not reported: the watcher knows how long a value is valid.
        Raises: `Unavailable` (the connection or the store was lost, and changes may be missing).
        """
        watching = LeaseWatch(self._connection, prefix)
        try:
            while True:
                try:
                    await watching.open()
                    break
                except Refusal as refusal:
                    if refusal.err_code != NO_STREAM:
                        raise
                    await self.heal()
            while True:
                for change in await watching.changes():
                    yield change
        finally:
            watching.close()

    async def put(self, subject: str, headers: str, value: bytes) -> int:
        """Stores one message; returns its revision."""
        raw = f"NATS/1.0\r\n{headers}\r\n".encode()
        clock = asyncio.get_running_loop().time
        end_s = clock() + _ELECTION_S
        while True:
            try:
                _, answer = await self._connection.ask(subject, value, raw, timeout_s=_TIMEOUT_S)
                break
            except NoResponders:
                if clock() > end_s:
                    raise
                await self.heal()
                await asyncio.sleep(_LOOK_AGAIN_S)
        stored = msgspec.json.decode(answer, type=_LeaseAnswer)
        if stored.error is None:
            return stored.seq
        if stored.error.err_code == WRONG_LAST_SEQUENCE:
            raise _Taken(named_sequence(stored.error.description))
        if stored.error.code < 500 and stored.error.err_code != IN_FLIGHT:
            raise Misconfigured(f"{subject} refused: {stored.error.description}")
        raise Unavailable(f"{subject}: {stored.error.description}")

    async def at(self, subject: str, revision: int) -> StoredMessage | None:
        """What the key holds since that revision, None where it has gone on; asked by key, and so by right."""
        for _ in range(_LOOKS if self._connection.is_clustered else 1):
            found = await last_of_subject(self._connection, LIVE, subject)
            if found is not None and found.seq >= revision:
                return found if found.seq == revision else None
            await asyncio.sleep(_LOOK_AGAIN_S)  # the server that answered may lag
        return None

    async def heal(self) -> None:
        """Creates the store again if a restarted server has lost it and this process may; else another one does."""
        if self._makes:
            await ensure_store(self._connection, LIVE)


class JetStreamLease:
    """A key that this process holds as long as it renews it in time."""

    def __init__(self, leases: JetStreamLeases, key: str, ttl_s: int) -> None:
        self._leases, self.key, self.ttl_s = leases, key, ttl_s
        self.subject = _subject(key)
        self._token = secrets.token_hex(8)
        self._revision = 0

    async def renew(self, value: bytes) -> bool:
        """Extends the lease by another term with a new value; False when it is lost. Raises: `Unavailable`."""
        while True:
            try:
                await self.write(value, self._revision)
            except _Taken as taken:
                # If an answer was lost, the newer revision is our own.
                found = await self._leases.at(self.subject, taken.revision) if taken.revision else None
                if found is None or not self.adopt(found):
                    return False
            else:
                return True

    async def release(self) -> None:
        """Gives it up."""
        gone = f"Nats-Expected-Last-Subject-Sequence: {self._revision}\r\nKV-Operation: DEL\r\nNats-TTL: 1s\r\n"
        try:
            await self._leases.put(self.subject, gone, b"")
        except _Taken:
            return

    async def write(self, value: bytes, revision: int) -> None:
        """Stores the value if the key has that revision."""
        guard = f"Nats-Expected-Last-Subject-Sequence: {revision}\r\n"
        term = f"Nats-TTL: {self.ttl_s}s\r\nClaw-Lease: {self._token}\r\n"
        self._revision = await self._leases.put(self.subject, guard + term, value)

    def adopt(self, found: StoredMessage) -> bool:
        """Continues from a stored revision if this lease wrote it."""
        if _header(found, "Claw-Lease") != self._token:
            return False
        self._revision = found.seq
        return True


def _subject(key: str) -> str:
    if _KEY.fullmatch(key) is None:
        raise ValueError(f"not a key: {key!r}")
    return f"{LEASE_PREFIX}{key}"


def _header(message: StoredMessage, name: str) -> str:
    return Record(message.seq, 0, message.subject, b"", message.hdrs).header(name)


def _term_s(message: StoredMessage) -> float:
    """How long the server keeps the value, in seconds; infinite if it is not a lease."""
    term = _header(message, "Nats-TTL").removesuffix("s")
    is_lease = _header(message, "Claw-Lease") and term.isdecimal() and len(term) < 10
    return int(term) if is_lease else math.inf


def _is_live(message: StoredMessage) -> bool:
    return not _header(message, "KV-Operation")
