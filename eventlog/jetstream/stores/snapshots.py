"""Whole streams as bytes: what the server's snapshot of a stream holds; `restores` makes a stream of it again.

1. A snapshot is the stream as it was at one moment, whatever is appended meanwhile; only `StreamState` tells which.
2. Chunks come in order and none is missing, else `Unavailable` is raised; the next is sent once one was taken.
3. The restored stream has the sequences, times and headers of the old one, and a creation time of its own.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

from clawactors.eventlog.errors import Misconfigured, Unavailable
from clawactors.eventlog.jetstream.log.streams import created_of
from clawactors.eventlog.jetstream.wire.api import Refusal, call, check
from clawactors.eventlog.jetstream.wire.connection import Connection

__all__ = [
    "CHUNK_BYTES",
    "StreamInfo",
    "StreamSnapshot",
    "StreamState",
    "snapshot",
    "stored_streams",
]

CHUNK_BYTES: Final = 512 << 10
_WINDOW_BYTES: Final = 8 << 20
_ANSWER_S: Final = 600.0
"""The server may read a whole stream before it answers: to check it, or to index what was restored."""
_SILENT_S: Final = 30.0
_END: Final = b"NATS/1.0 204"
_PAGE: Final = 256


class StreamState(msgspec.Struct, frozen=True):
    """What a stream holds; `bytes` counts messages as the server stores them."""

    messages: int
    bytes: int
    first_seq: int
    last_seq: int
    num_deleted: int = 0


class StreamInfo(msgspec.Struct, frozen=True):
    """A stream as the server describes it; `config` is what it was created with, `mirror` how far a mirror is."""

    config: dict[str, Any]
    created: str
    state: StreamState
    mirror: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.config["name"])

    @property
    def identity(self) -> str:
        """Name and time of creation: another identity means another stream."""
        return f"{self.name}@{created_of(self.config, self.created)}"


class _StreamPage(msgspec.Struct):
    total: int
    streams: list[StreamInfo] | None = None


class _SnapshotAnswer(msgspec.Struct):
    config: dict[str, Any]
    state: dict[str, Any]


async def stored_streams(connection: Connection, timeout_s: float = 15.0) -> list[StreamInfo]:
    """All streams of the account. Raises: `Unavailable`, `PermissionDenied`."""
    found: list[StreamInfo] = []
    while True:
        answer = await call(connection, "STREAM.LIST", {"offset": len(found)}, timeout_s)
        page = msgspec.convert(answer, _StreamPage)
        found += page.streams or ()
        if not page.streams or len(found) >= page.total or len(page.streams) < _PAGE:
            return found


class StreamSnapshot:
    """A snapshot that arrives: iterate over its chunks. `config` and `described` are what `restore` needs."""

    def __init__(self, connection: Connection, name: str) -> None:
        self.config: dict[str, Any] = {}
        self.described: dict[str, Any] = {}
        self._connection, self._name = connection, name
        self._came: deque[tuple[bytes, bytes, bytes]] = deque()
        self._more = asyncio.Event()
        self._is_lost = False
        self._taken = 0
        self._reply = b""

    @property
    def state(self) -> StreamState:
        """What the snapshot holds."""
        return msgspec.convert(self.described, StreamState)

    async def open(self, inbox: str) -> None:
        """Asks for it. Raises: `Misconfigured` (the stream is damaged, or there is none), `Unavailable`."""
        asked = {
            "deliver_subject": inbox,
            "chunk_size": CHUNK_BYTES,
            "window_size": _WINDOW_BYTES,
            "no_consumers": True,
            "jsck": True,
        }
        subject = f"{self._connection.address.api}.STREAM.SNAPSHOT.{self._name}"
        # Asked once: a second request would begin a second snapshot, on the same subject.
        answer = (await self._connection.ask(subject, msgspec.json.encode(asked), timeout_s=_ANSWER_S))[1]
        try:
            check(subject, answer)
        except Refusal as refusal:
            raise Misconfigured(f"the stream {self._name} can't be read: {refusal.description}") from None
        described = msgspec.json.decode(answer, type=_SnapshotAnswer)
        self.config, self.described = described.config, described.state

    def __aiter__(self) -> AsyncGenerator[bytes]:
        return self._chunks()

    async def _chunks(self) -> AsyncGenerator[bytes]:
        while True:
            reply, headers, body = await self._next()
            if not body:
                if headers and not headers.startswith(_END):
                    said = headers[9:].partition(b"\r\n")[0].decode("utf-8", "replace")
                    raise Unavailable(f"the snapshot of {self._name} ended early: {said}")
                return
            self._taken += 1
            if reply and reply.rpartition(b".")[2] != b"%d" % self._taken:
                raise Unavailable(f"a part of the snapshot of {self._name} was lost on the way")
            yield body
            if reply:
                self._connection.publish_now(reply, b"")

    async def _next(self) -> tuple[bytes, bytes, bytes]:
        while not self._came:
            self._more.clear()
            if self._is_lost:
                raise Unavailable(f"the connection was lost during the snapshot of {self._name}")
            try:
                async with asyncio.timeout(_SILENT_S):
                    await self._more.wait()
            except TimeoutError:
                raise Unavailable(f"the server sent nothing of {self._name} for {_SILENT_S:g} s") from None
        return self._came.popleft()

    def on_message(self, _subject: bytes, reply: bytes, headers: bytes, body: bytes) -> None:
        """Takes a chunk."""
        self._came.append((bytes(reply), bytes(headers), bytes(body)))
        self._more.set()

    def on_lost(self) -> None:
        """The connection is lost, and with it what was on its way."""
        self._is_lost = True
        self._more.set()


@asynccontextmanager
async def snapshot(connection: Connection, name: str) -> AsyncGenerator[StreamSnapshot]:
    """A snapshot of the stream `name`, checked by the server before it is sent.

    Raises: `Misconfigured` (damaged, or there is none), `Unavailable`.
    """
    taken = StreamSnapshot(connection, name)
    # A subscription of its own: where the server sees nobody on exactly this subject, it waits two seconds.
    subscription = connection.listen(connection.new_inbox(), taken.on_message)
    await connection.confirm(subscription)
    connection.on_lost.append(taken.on_lost)
    try:
        await taken.open(subscription.subject)
        yield taken
    finally:
        connection.on_lost.remove(taken.on_lost)
        connection.unlisten(subscription)
