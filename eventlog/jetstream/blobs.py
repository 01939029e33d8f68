"""Payloads that are too large for an event, by the SHA-256 of their bytes: the object store `claw-blobs`.

1. A payload is there when its description is, which is written last and once: equal payloads share one.
2. What is given back is what was put: length and SHA-256 are checked on every read.
3. Of a payload that is being put, a few chunks are on their way at a time; of one that is read, a bounded amount waits.

The layout is that of NATS's own object stores (its ADR-20): `nats object get claw-blobs NAME` reads them too.
"""

import asyncio
import contextlib
import hashlib
import random
from base64 import urlsafe_b64encode
from collections import deque
from collections.abc import Buffer
from typing import Final

import msgspec

from eventlog.errors import Corrupt, EventLogError, Misconfigured, Missing, Unavailable
from eventlog.jetstream.api import ApiError, StoredMessage, call, last_message
from eventlog.jetstream.connection import Connection
from eventlog.jetstream.reader import read
from eventlog.jetstream.source import Source

__all__ = ["JetStreamBlobs"]

BUCKET: Final = "claw-blobs"
STREAM: Final = f"OBJ_{BUCKET}"
CHUNK_BYTES: Final = 256 << 10

_HEADER_ROOM_BYTES: Final = 1024
_WINDOW: Final = 8
_TIMEOUT_S: Final = 10.0
_PATIENCE_S: Final = 30.0
_OTHERS_WERE_FIRST: Final = 10071
_IN_THREAD_BYTES: Final = 1 << 20


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
        stored, described = await self._described(name)
        if described is not None:
            return name
        nuid = f"{random.getrandbits(128):032x}"
        size = min(CHUNK_BYTES, self._connection.max_payload - _HEADER_ROOM_BYTES)
        try:
            chunks = await self._send(view, f"$O.{BUCKET}.C.{nuid}", size)
        except BaseException:
            await self._drop(nuid)
            raise
        description = _Description(
            name, nuid, view.nbytes, chunks, f"SHA-256={urlsafe_b64encode(digest).decode()}", options=_Options(size)
        )
        headers = (
            "NATS/1.0\r\nNats-Rollup: sub\r\n"
            f"Nats-Expected-Last-Subject-Sequence: {stored.seq if stored else 0}\r\n\r\n"
        ).encode()
        try:
            await self._publish(_about(name), msgspec.json.encode(description), headers)
        except _Raced:
            await self._drop(nuid)
        return name

    async def get(self, name: str) -> bytes:
        """The payload. Raises: `Missing`, `Corrupt`, `Unavailable`."""
        _, described = await self._described(name)
        if described is None:
            raise Missing(f"the object store has no payload {name}")
        info = await call(self._connection, f"STREAM.INFO.{STREAM}")
        source = Source(self._connection, STREAM, info["created"], info["config"]["num_replicas"])
        body = bytearray()
        async for records in read(source, [f"$O.{BUCKET}.C.{described.nuid}"], 0, None, None, _PATIENCE_S):
            for record in records:
                body += record.body
            if len(body) > described.size:
                break
        if len(body) != described.size or (await _digest_of(memoryview(body))).hex() != name:
            raise Corrupt(f"the payload {name} in the object store is damaged: it is not what was put there")
        return bytes(body)

    async def _described(self, name: str) -> tuple[StoredMessage | None, _Description | None]:
        """What the store says of it last, and that as a description, None where it has none that counts."""
        stored = await last_message(self._connection, STREAM, _about(name))
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
        sending: deque[asyncio.Task[None]] = deque()
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

    async def _publish(self, subject: str, body: bytes, headers: bytes = b"") -> None:
        _, answer = await self._connection.ask(subject, body, headers, timeout_s=_TIMEOUT_S)
        error = msgspec.json.decode(answer, type=_Stored).error
        if error is None:
            return
        if error.err_code == _OTHERS_WERE_FIRST:
            raise _Raced(error.description)
        if error.code >= 500:
            raise Unavailable(f"the object store does not take it now: {error.description}")
        raise Misconfigured(f"the object store does not take it: {error.description}")

    async def _drop(self, nuid: str) -> None:
        """Takes back chunks that nothing describes; where that fails they take room and do no other harm."""
        with contextlib.suppress(EventLogError):
            await call(self._connection, f"STREAM.PURGE.{STREAM}", {"filter": f"$O.{BUCKET}.C.{nuid}"}, 2)


class _Raced(EventLogError):
    """Somebody else has put the same payload meanwhile."""


def _about(name: str) -> str:
    return f"$O.{BUCKET}.M.{urlsafe_b64encode(name.encode()).decode()}"


async def _digest_of(view: memoryview) -> bytes:
    """Large ones are digested beside the event loop."""
    if view.nbytes > _IN_THREAD_BYTES:
        return (await asyncio.to_thread(hashlib.sha256, view)).digest()
    return hashlib.sha256(view).digest()
