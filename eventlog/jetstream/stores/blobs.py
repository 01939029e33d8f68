"""Payloads that are too large for an event, by the SHA-256 of their bytes: the object store `claw-blobs`.

1. A payload is there when its description is, which is written last and once: equal payloads share one.
2. What is given back is what was put: length and SHA-256 are checked on every read.
3. Of a payload that is being put, a few chunks are on their way at a time; of one that is read, a bounded amount waits.
4. What is put while it is there is described anew: `put_ns` is never older than the last put that has returned.
5. Who removes names the version that it saw: what was put meanwhile stays.
6. Parts of a put that was killed half way are nobody's. They go when nothing of that put came for as long as the caller
   says; a put that goes on for half a day begins anew, so from a day on it is never one that goes on.

The layout is that of NATS's own object stores (its ADR-20): `nats object get claw-blobs NAME` reads them too.
"""

import asyncio
import contextlib
import hashlib
import random
import time
from base64 import urlsafe_b64encode
from collections import deque
from collections.abc import AsyncIterator, Buffer
from typing import Final

import msgspec

from clawactors.eventlog.blobs import Blob
from clawactors.eventlog.errors import Corrupt, EventLogError, Misconfigured, Missing, Unavailable
from clawactors.eventlog.jetstream.log.reader import read
from clawactors.eventlog.jetstream.log.source import Source
from clawactors.eventlog.jetstream.log.streams import BLOBS
from clawactors.eventlog.jetstream.wire.api import ApiError, StoredMessage, call, last_message
from clawactors.eventlog.jetstream.wire.codes import WRONG_LAST_SEQUENCE
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.record import Record

__all__ = ["JetStreamBlobs"]

BUCKET: Final = "claw-blobs"
_CHUNKS: Final = f"$O.{BUCKET}.C."
CHUNK_BYTES: Final = 256 << 10

_HEADER_ROOM_BYTES: Final = 1024
_WINDOW: Final = 8
_TIMEOUT_S: Final = 10.0
_PATIENCE_S: Final = 30.0
_IN_THREAD_BYTES: Final = 1 << 20
_LONGEST_PUT_S: Final = 43_200.0


class _Options(msgspec.Struct):
    max_chunk_size: int = CHUNK_BYTES


class _Description(msgspec.Struct):
    name: str
    nuid: str
    size: int
    chunks: int
    digest: str
    bucket: str = BUCKET
    deleted: bool = False
    options: _Options = msgspec.field(default_factory=_Options)


class _Stored(msgspec.Struct):
    seq: int = 0
    error: ApiError | None = None


class JetStreamBlobs:
    """The payloads of one server or cluster. Order: putting the same again changes nothing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def put(self, body: Buffer) -> str:
        """Keeps it and returns its name. Raises: `Unavailable`, `Misconfigured` (no room, no permission)."""
        view = memoryview(body)
        digest = await _digest_of(view)
        name = digest.hex()
        while True:
            stored, described = await self._described(name)
            with contextlib.suppress(_Raced):  # by somebody who puts it too, removes it, or sweeps
                if stored is not None and described is not None:
                    await self._describe(described, stored.seq)
                else:
                    await self._keep(view, name, digest, stored.seq if stored else 0)
                return name

    async def _keep(self, view: memoryview, name: str, digest: bytes, after: int) -> None:
        """Sends what is not there yet; nothing of it stays where that fails."""
        nuid = f"{random.getrandbits(128):032x}"
        size = min(CHUNK_BYTES, self._connection.max_payload - _HEADER_ROOM_BYTES)
        began_s = time.time()  # not of a clock that stands still with the process
        try:
            chunks = await self._send(view, f"{_CHUNKS}{nuid}", size)
            if not 0 <= time.time() - began_s < _LONGEST_PUT_S:
                raise _Raced("it took so long that its first parts may have been swept")
            encoded = urlsafe_b64encode(digest).decode()
            description = _Description(name, nuid, view.nbytes, chunks, f"SHA-256={encoded}", options=_Options(size))
            await self._describe(description, after)
        except BaseException:
            await self._drop(nuid)
            raise

    async def stored(self) -> list[Blob]:
        """All that is there. Raises: `Unavailable`."""
        found = [(record, described) async for record, described in self._descriptions() if not described.deleted]
        return [Blob(described.name, described.size, record.at_ns, record.seq) for record, described in found]

    async def remove(self, blob: Blob) -> bool:
        """Takes it away, False where it was put again since it was listed. Raises: `Unavailable`. Order: idempotent."""
        stored, described = await self._described(blob.name)
        if stored is None or described is None or stored.seq != blob.version:
            return False
        try:
            version = await self._describe(msgspec.structs.replace(described, deleted=True), blob.version)
        except _Raced:
            return False
        await self._clear(described, version)
        return True

    async def clear(self) -> None:
        """Ends removals that were left half way. Raises: `Unavailable`."""
        async for record, described in self._descriptions():
            if described.deleted and described.chunks:
                await self._clear(described, record.seq)

    async def unfinished(self, before_ns: int) -> list[str]:
        """Puts that were left half way, of which nothing has come since that time. Raises: `Unavailable`."""
        names = await self._names_of_chunks()
        odd: list[bytes] = []
        for record in await self._records_of_descriptions():
            if (described := _read(record)) is not None:
                names.discard(described.nuid)
            else:
                odd.append(record.body)
        lone = [name for name in names if not any(name.encode() in body for body in odd)]
        return [name for name in lone if 0 < await self._newest_ns(name) < before_ns]

    async def drop(self, unfinished: str) -> None:
        """Takes away what came of such a put. Raises: `Unavailable`. Order: idempotent."""
        await self._purge(unfinished, _TIMEOUT_S)

    async def _names_of_chunks(self) -> set[str]:
        """The names under which there are any, of all puts; asked before the descriptions, which come later."""
        names: set[str] = set()
        while True:
            question = {"subjects_filter": f"{_CHUNKS}*", "offset": len(names)}
            info = await call(self._connection, f"STREAM.INFO.{BLOBS}", question, _TIMEOUT_S)
            page = info["state"].get("subjects") or {}
            names.update(subject.removeprefix(_CHUNKS) for subject in page)
            if not page or len(names) >= info.get("total", 0):
                return names

    async def _newest_ns(self, name: str) -> int:
        """When the last chunk under that name came, 0 where there is none any more."""
        chunk = await last_message(self._connection, BLOBS, f"{_CHUNKS}{name}")
        return chunk.record.at_ns if chunk else 0

    async def _clear(self, described: _Description, version: int) -> None:
        await self.drop(described.nuid)
        with contextlib.suppress(_Raced):  # put again: under another name of chunks
            await self._describe(msgspec.structs.replace(described, deleted=True, chunks=0, size=0), version)

    async def _descriptions(self) -> AsyncIterator[tuple[Record, _Description]]:
        for record in await self._records_of_descriptions():
            if (described := _read(record)) is not None:
                yield record, described

    async def _purge_before(self, subject: str, version: int) -> None:
        await call(self._connection, f"STREAM.PURGE.{BLOBS}", {"filter": subject, "seq": version}, _TIMEOUT_S)

    async def _records_of_descriptions(self) -> list[Record]:
        """The last record of each description."""
        last: dict[str, Record] = {}
        info = await call(self._connection, f"STREAM.INFO.{BLOBS}")
        source = Source(self._connection, BLOBS, info["created"], info["config"]["num_replicas"])
        async for records in read(source, [f"$O.{BUCKET}.M.>"], 0, None, None, _PATIENCE_S):
            last.update((record.subject, record) for record in records)
        return list(last.values())

    async def _describe(self, description: _Description, after: int) -> int:
        """Writes the description behind that version; its own version."""
        headers = f"NATS/1.0\r\nNats-Expected-Last-Subject-Sequence: {after}\r\n\r\n".encode()
        subject = _about(description.name)
        version = await self._publish(subject, msgspec.json.encode(description), headers)
        if after:
            # Not by a rollup header: a store that takes those lets one message erase all others.
            with contextlib.suppress(EventLogError):  # an older description counts for nobody, and goes the next time
                await self._purge_before(subject, version)
        return version

    async def get(self, name: str) -> bytes:
        """The payload. Raises: `Missing`, `Corrupt`, `Unavailable`."""
        _, described = await self._described(name)
        if described is None:
            raise Missing(f"the object store has no payload {name}")
        info = await call(self._connection, f"STREAM.INFO.{BLOBS}")
        source = Source(self._connection, BLOBS, info["created"], info["config"]["num_replicas"])
        body = bytearray()
        async for records in read(source, [f"{_CHUNKS}{described.nuid}"], 0, None, None, _PATIENCE_S):
            for record in records:
                body += record.body
            if len(body) > described.size:
                break
        if len(body) != described.size or (await _digest_of(memoryview(body))).hex() != name:
            raise Corrupt(f"the payload {name} in the object store is damaged: it is not what was put there")
        return bytes(body)

    async def _described(self, name: str) -> tuple[StoredMessage | None, _Description | None]:
        """What the store says of it last, and that as a description, None where it has none that counts."""
        stored = await last_message(self._connection, BLOBS, _about(name))
        if stored is None:
            return None, None
        try:
            description = msgspec.json.decode(stored.data, type=_Description)
        except msgspec.MsgspecError:
            raise Corrupt(f"the description of the payload {name} in the object store is damaged") from None
        return stored, None if description.deleted else description

    async def _send(self, view: memoryview, subject: str, size: int) -> int:
        """Sends all of it in order; how many chunks that made."""
        view = view.cast("B")
        sending: deque[asyncio.Task[int]] = deque()
        chunks = 0
        try:
            for start in range(0, view.nbytes, size):
                sending.append(asyncio.ensure_future(self._publish(subject, bytes(view[start : start + size]))))
                chunks += 1
                if len(sending) >= _WINDOW:
                    await sending.popleft()
            while sending:
                await sending.popleft()
        finally:
            for each in sending:
                each.cancel()
            await asyncio.gather(*sending, return_exceptions=True)
        return chunks

    async def _publish(self, subject: str, body: bytes, headers: bytes = b"") -> int:
        _, answer = await self._connection.ask(subject, body, headers, timeout_s=_TIMEOUT_S)
        told = msgspec.json.decode(answer, type=_Stored)
        if (error := told.error) is None:
            return told.seq
        if error.err_code == WRONG_LAST_SEQUENCE:
            raise _Raced(error.description)
        if error.code >= 500:
            raise Unavailable(f"the object store does not take it now: {error.description}")
        raise Misconfigured(f"the object store does not take it: {error.description}")

    async def _drop(self, nuid: str) -> None:
        """Takes back chunks that nothing describes; where that fails they take room and do no other harm."""
        with contextlib.suppress(EventLogError):
            await self._purge(nuid, 2)

    async def _purge(self, nuid: str, timeout_s: float) -> None:
        await call(self._connection, f"STREAM.PURGE.{BLOBS}", {"filter": f"{_CHUNKS}{nuid}"}, timeout_s)


class _Raced(EventLogError):
    """Others have been there meanwhile: it is put again."""


def _read(record: Record) -> _Description | None:
    """None where it is another program's, or damaged: what it describes stays."""
    try:
        return msgspec.json.decode(record.body, type=_Description)
    except msgspec.MsgspecError:
        return None


def _about(name: str) -> str:
    return f"$O.{BUCKET}.M.{urlsafe_b64encode(name.encode()).decode()}"


async def _digest_of(view: memoryview) -> bytes:
    """Large ones are digested beside the event loop."""
    if view.nbytes > _IN_THREAD_BYTES:
        return (await asyncio.to_thread(hashlib.sha256, view)).digest()
    return hashlib.sha256(view).digest()
