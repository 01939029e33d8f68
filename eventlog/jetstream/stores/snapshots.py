"""Whole streams as bytes: what the server's snapshot of a stream holds, and a stream made of it again.

1. A snapshot is the stream as it was at one moment, whatever is appended meanwhile; only `StreamState` tells which.
2. Chunks come in order and none is missing, else `Unavailable` is raised; the next is sent once one was taken.
3. The restored stream has the sequences, times and headers of the old one, and a creation time of its own.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

from clawactors.eventlog.errors import EventLogError, Misconfigured, Unavailable
from clawactors.eventlog.jetstream.wire.api import Refusal, call, check
from clawactors.eventlog.jetstream.wire.codes import NAME_HELD, NAME_IN_USE, NO_STREAM
from clawactors.eventlog.jetstream.wire.connection import Connection

__all__ = [
    "StreamInfo",
    "StreamSnapshot",
    "StreamState",
    "remove",
    "restore",
    "set_metadata",
    "snapshot",
    "stored_streams",
]

_CHUNK_BYTES: Final = 512 << 10
_WINDOW_BYTES: Final = 8 << 20
_OVERHEAD_BYTES: Final = 4096
_ANSWER_S: Final = 600.0
"""The server may read a whole stream before it answers: to check it, or to index what was restored."""
_SILENT_S: Final = 30.0
_END: Final = b"NATS/1.0 204"
_PAGE: Final = 256
_TRIES: Final = 3
_HELD_S: Final = 15.0
_HELD_AGAIN_S: Final = 0.2


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
            "chunk_size": _CHUNK_BYTES,
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


async def restore(
    connection: Connection,
    config: dict[str, Any],
    described: dict[str, Any],
    chunks: Callable[[], AsyncIterable[bytes]],
) -> StreamInfo:
    """Makes a stream of the bytes of a snapshot; `config` may differ from the old one in all but name and storage.

    `chunks` gives them from the start, again where the server gives up: it may close a restore that it has finished
    reading before the last bytes came.
    Raises: `Misconfigured` (there is a stream of that name, no room, damaged bytes), `Unavailable`.
    """
    name = config["name"]
    for tries_left in reversed(range(_TRIES)):
        subject = await _begun(connection, config, described)
        try:
            return await _sent(connection, subject, chunks())
        except Refusal as refusal:
            if not tries_left:
                raise Misconfigured(f"the stream {name} can't be restored: {refusal.description}") from None
        await remove(connection, name)  # the name was free before
    raise AssertionError(name)


async def _sent(connection: Connection, subject: str, chunks: AsyncIterable[bytes]) -> StreamInfo:
    """Sends the bytes; each is answered. Raises: `Refusal`, `Unavailable`."""
    most = min(_CHUNK_BYTES, connection.max_payload - _OVERHEAD_BYTES)
    async for chunk in chunks:
        for start in range(0, len(chunk), most):
            answer = (await connection.ask(subject, chunk[start : start + most], timeout_s=_SILENT_S))[1]
            check(subject, answer or b"{}")
    answer = (await connection.ask(subject, b"", timeout_s=_ANSWER_S))[1]
    check(subject, answer)
    return msgspec.json.decode(answer, type=StreamInfo)


async def _begun(connection: Connection, config: dict[str, Any], described: dict[str, Any]) -> str:
    """The subject that takes the bytes. The server holds the name for a while after a restore that was cut off."""
    name, clock = config["name"], asyncio.get_running_loop().time
    subject, body = f"{connection.address.api}.STREAM.RESTORE.{name}", {"config": config, "state": described}
    deadline_s = clock() + _HELD_S
    while True:
        try:
            # Asked once: a second request would begin a second restore beside the first.
            answer = (await connection.ask(subject, msgspec.json.encode(body), timeout_s=_SILENT_S))[1]
            check(subject, answer)
            return str(msgspec.json.decode(answer)["deliver_subject"])
        except Refusal as refusal:
            if refusal.err_code not in (NAME_IN_USE, NAME_HELD):
                raise Misconfigured(f"the stream {name} can't be restored: {refusal.description}") from None
            if clock() > deadline_s or any(each.name == name for each in await stored_streams(connection)):
                raise Misconfigured(f"the server has a stream {name} already") from None
        await asyncio.sleep(_HELD_AGAIN_S)


async def remove(connection: Connection, name: str) -> None:
    """Removes a stream; one that is not there is fine. Raises: `EventLogError`."""
    try:
        await call(connection, f"STREAM.DELETE.{name}", timeout_s=60)
    except Refusal as refusal:
        if refusal.err_code != NO_STREAM:
            raise EventLogError(str(refusal)) from None


async def set_metadata(connection: Connection, name: str, more: dict[str, str], *, without: str) -> None:
    """Adds to the metadata of a stream and takes away one key. Raises: `Misconfigured`, `Unavailable`."""
    try:
        config = (await call(connection, f"STREAM.INFO.{name}"))["config"]
        metadata = {key: value for key, value in (config.get("metadata") or {}).items() if key != without}
        await call(connection, f"STREAM.UPDATE.{name}", config | {"metadata": metadata | more}, timeout_s=15)
    except Refusal as refusal:
        raise Misconfigured(f"the stream {name} can't be changed: {refusal.description}") from None
