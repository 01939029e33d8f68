"""Payloads that are too large for an event, by the SHA-256 of their bytes: the object store `claw-blobs`.

1. A payload exists when its description exists, which is written last: equal payloads share one.
2. A read returns what was put: length and SHA-256 are checked.
3. A put has a few chunks on their way at a time; a read buffers a bounded amount.
4. A repeated put writes a new description: `put_ns` is never older than the last put that returned.
5. A removal names the version that it saw: a payload that was put meanwhile stays.
6. The parts of an interrupted put are removed when nothing of it arrived for as long as the caller says. A put that
   takes half a day starts again, so after a day no put is still running.

The layout is that of NATS's own object stores (its ADR-20): `nats object get claw-blobs NAME` reads them.
"""

import asyncio
import contextlib
import hashlib
import random
import time
from base64 import urlsafe_b64encode
from collections import deque
from collections.abc import Buffer
from typing import Final

import msgspec

from clawactors.eventlog.blobs import Blob
from clawactors.eventlog.errors import Corrupt, EventLogError, Missing
from clawactors.eventlog.jetstream.log.reader import read
from clawactors.eventlog.jetstream.log.streams import BLOBS
from clawactors.eventlog.jetstream.stores.blob_descriptions import (
    BUCKET,
    CHUNK_BYTES,
    PATIENCE_S,
    TIMEOUT_S,
    BlobDescription,
    BlobDescriptions,
    DescribedOptions,
    Raced,
    publish,
    read_description,
    source_of,
)
from clawactors.eventlog.jetstream.wire.api import call, last_message
from clawactors.eventlog.jetstream.wire.connection import Connection

__all__ = ["JetStreamBlobs"]

_CHUNKS: Final = f"$O.{BUCKET}.C."

_HEADER_ROOM_BYTES: Final = 1024
_WINDOW: Final = 8
_IN_THREAD_BYTES: Final = 1 << 20
_LONGEST_PUT_S: Final = 43_200.0


class JetStreamBlobs:
    """The payloads of one server or cluster. Order: a repeated put changes nothing but `put_ns`.

    `purges`: this process removes at once what its puts leave over; else a sweep does.
    """

    def __init__(self, connection: Connection, *, purges: bool = True) -> None:
        self._connection, self._purges = connection, purges
        self._descriptions = BlobDescriptions(connection, purges=purges)

    async def put(self, body: Buffer) -> str:
        """Stores it and returns its name. Raises: `Unavailable`, `Misconfigured` (no room, no permission)."""
        view = memoryview(body)
        digest = await _digest_of(view)
        name = digest.hex()
        while True:
            stored, described = await self._descriptions.last(name)
            with contextlib.suppress(Raced):  # with another put, a removal, or a sweep
                if stored is not None and described is not None:
                    await self._descriptions.write(described, stored.seq)
                else:
                    await self._keep(view, name, digest, stored.seq if stored else 0)
                return name

    async def _keep(self, view: memoryview, name: str, digest: bytes, after: int) -> None:
        """Sends a payload that is not stored yet; removes its parts if that fails."""
        nuid = f"{random.getrandbits(128):032x}"
        size = min(CHUNK_BYTES, self._connection.max_payload - _HEADER_ROOM_BYTES)
        began_s = time.time()  # the wall clock: a monotonic clock may stop with the machine
        try:
            chunks = await self._send(view, f"{_CHUNKS}{nuid}", size)
            if not 0 <= time.time() - began_s < _LONGEST_PUT_S:
                raise Raced("it took so long that its first parts may have been swept")
            encoded = urlsafe_b64encode(digest).decode()
            description = BlobDescription(
                name, nuid, view.nbytes, chunks, f"SHA-256={encoded}", options=DescribedOptions(size)
            )
            await self._descriptions.write(description, after)
        except BaseException:
            await self._drop(nuid)
            raise

    async def stored(self) -> list[Blob]:
        """All payloads. Raises: `Unavailable`."""
        found = [(record, described) async for record, described in self._descriptions.all() if not described.deleted]
        return [Blob(described.name, described.size, record.at_ns, record.seq) for record, described in found]

    async def size_bytes(self) -> int:
        """What all payloads take on the server, with their descriptions. Raises: `Unavailable`."""
        info = await call(self._connection, f"STREAM.INFO.{BLOBS}", None, TIMEOUT_S)
        size: int = info["state"]["bytes"]
        return size

    async def remove(self, blob: Blob) -> bool:
        """Removes it; False when it was put again since it was listed. Raises: `Unavailable`. Order: idempotent."""
        stored, described = await self._descriptions.last(blob.name)
        if stored is None or described is None or stored.seq != blob.version:
            return False
        try:
            version = await self._descriptions.write(msgspec.structs.replace(described, deleted=True), blob.version)
        except Raced:
            return False
        await self._clear(described, version)
        return True

    async def clear(self) -> None:
        """Completes removals that were interrupted, and drops outdated descriptions. Raises: `Unavailable`."""
        await self._descriptions.tidy()
        async for record, described in self._descriptions.all():
            if described.deleted and described.chunks:
                await self._clear(described, record.seq)

    async def unfinished(self, before_ns: int) -> list[str]:
        """Interrupted puts of which nothing arrived since that time (ns since 1970). Raises: `Unavailable`."""
        names = await self._names_of_chunks()
        odd: list[bytes] = []
        for record in await self._descriptions.records():
            if (described := read_description(record)) is not None:
                names.discard(described.nuid)
            else:
                odd.append(record.body)
        lone = [name for name in names if not any(name.encode() in body for body in odd)]
        return [name for name in lone if 0 < await self._newest_ns(name) < before_ns]

    async def drop(self, unfinished: str) -> None:
        """Removes the parts of an interrupted put. Raises: `Unavailable`. Order: idempotent."""
        await self._purge(unfinished, TIMEOUT_S)

    async def _names_of_chunks(self) -> set[str]:
        """The names of all chunks; asked before the descriptions, because a put writes its description later."""
        names: set[str] = set()
        while True:
            question = {"subjects_filter": f"{_CHUNKS}*", "offset": len(names)}
            info = await call(self._connection, f"STREAM.INFO.{BLOBS}", question, TIMEOUT_S)
            page = info["state"].get("subjects") or {}
            names.update(subject.removeprefix(_CHUNKS) for subject in page)
            if not page or len(names) >= info.get("total", 0):
                return names

    async def _newest_ns(self, name: str) -> int:
        """The time of the last chunk of that name, in ns since 1970; 0 if there is none."""
        chunk = await last_message(self._connection, BLOBS, f"{_CHUNKS}{name}")
        return chunk.record.at_ns if chunk else 0

    async def _clear(self, described: BlobDescription, version: int) -> None:
        await self.drop(described.nuid)
        with contextlib.suppress(Raced):  # it was put again, and its chunks have another name
            await self._descriptions.write(msgspec.structs.replace(described, deleted=True, chunks=0, size=0), version)

    async def get(self, name: str) -> bytes:
        """The payload. Raises: `Missing`, `Corrupt`, `Unavailable`."""
        _, described = await self._descriptions.last(name)
        if described is None:
            raise Missing(f"the object store has no payload {name}")
        source = await source_of(self._connection)
        body = bytearray()
        async for records in read(source, [f"{_CHUNKS}{described.nuid}"], 0, None, None, PATIENCE_S):
            for record in records:
                body += record.body
            if len(body) > described.size:
                break
        if len(body) != described.size or (await _digest_of(memoryview(body))).hex() != name:
            raise Corrupt(f"the payload {name} in the object store is damaged: it is not what was put there")
        return bytes(body)

    async def _send(self, view: memoryview, subject: str, size: int) -> int:
        """Sends all of it in order; returns the number of chunks."""
        view = view.cast("B")
        sending: deque[asyncio.Task[int]] = deque()
        chunks = 0
        try:
            for start in range(0, view.nbytes, size):
                sending.append(
                    asyncio.ensure_future(publish(self._connection, subject, bytes(view[start : start + size])))
                )
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

    async def _drop(self, nuid: str) -> None:
        """Removes chunks without a description; if that fails they only take room."""
        with contextlib.suppress(EventLogError):
            if self._purges:
                await self._purge(nuid, 2)

    async def _purge(self, nuid: str, timeout_s: float) -> None:
        await call(self._connection, f"STREAM.PURGE.{BLOBS}", {"filter": f"{_CHUNKS}{nuid}"}, timeout_s)


async def _digest_of(view: memoryview) -> bytes:
    """The SHA-256; of a large payload in a thread."""
    if view.nbytes > _IN_THREAD_BYTES:
        return (await asyncio.to_thread(hashlib.sha256, view)).digest()
    return hashlib.sha256(view).digest()
