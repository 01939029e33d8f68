"""Streamed output in the stream `CLAW_OUTPUT`: stored for days, not part of the history."""

from collections.abc import AsyncIterator, Collection
from typing import Final

import msgspec

from clawactors.eventlog.errors import Unavailable
from clawactors.eventlog.jetstream.log.follower import PushFollower
from clawactors.eventlog.jetstream.log.reader import read
from clawactors.eventlog.jetstream.log.source import StreamSource
from clawactors.eventlog.jetstream.wire.api import ApiError, call
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.outputs import patterns_of
from clawactors.eventlog.record import ROOT, WRITTEN, Record

__all__ = ["JetStreamOutputs"]

STREAM: Final = "CLAW_OUTPUT"
_TIMEOUT_S: Final = 5.0
_PATIENCE_S: Final = 30.0


class _OutputAnswer(msgspec.Struct):
    error: ApiError | None = None


class JetStreamOutputs:
    """All streams, each under `claw.output.<id>.<stream>.from.<writer>`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def publish(self, id: str, stream: str, writer: str, body: bytes, name: str, owner: str = "") -> None:
        """Appends to the stream; a known name is stored once. Raises: `Unavailable`, `PermissionDenied`."""
        subject = f"{ROOT}.output.{id}.{stream}.{WRITTEN}.{writer}"
        headers = f"NATS/1.0\r\nNats-Msg-Id: {name}\r\n\r\n".encode()
        _, answer = await self._connection.ask(subject, body, headers, timeout_s=_TIMEOUT_S)
        error = msgspec.json.decode(answer, type=_OutputAnswer).error
        if error is not None:
            raise Unavailable(f"output was not taken: {error.description}")

    async def read(self) -> AsyncIterator[list[Record]]:
        """All stored output. Raises: `Unavailable`."""
        source = await self._source()
        async for records in read(source, (f"{ROOT}.output.>",), 0, None, None, _PATIENCE_S):
            yield records

    async def remove(self, ids: Collection[str]) -> int:
        """Removes all streams of these ids; returns how many of the ids had any. Raises: `Unavailable`."""
        prefix, wanted, had, offset = f"{ROOT}.output.", frozenset(ids), set[str](), 0
        while wanted:
            question = {"subjects_filter": f"{prefix}>", "offset": offset}
            info = await call(self._connection, f"STREAM.INFO.{STREAM}", question, _TIMEOUT_S)
            page = info["state"].get("subjects") or {}
            had |= wanted.intersection(subject.removeprefix(prefix).partition(".")[0] for subject in page)
            offset += len(page)
            if not page or offset >= info.get("total", 0):
                break
        for id in sorted(had):
            await call(self._connection, f"STREAM.PURGE.{STREAM}", {"filter": f"{prefix}{id}.>"}, _TIMEOUT_S)
        return len(had)

    async def _source(self) -> StreamSource:
        info = await call(self._connection, f"STREAM.INFO.{STREAM}")
        return StreamSource(self._connection, info)

    async def follow(self, id: str, stream: str, after: int = 0) -> PushFollower:
        """The records of a stream after that sequence, and each new one. Raises: `Unavailable`."""
        return await PushFollower(await self._source(), patterns_of(id, stream), after).open(sparse=True)
