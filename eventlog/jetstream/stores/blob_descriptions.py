"""The descriptions of the payloads in the object store: the last one of each name counts."""

import contextlib
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from typing import Final

import msgspec

from clawactors.eventlog.errors import Corrupt, EventLogError, Misconfigured, Unavailable
from clawactors.eventlog.jetstream.log.reader import read
from clawactors.eventlog.jetstream.log.source import StreamSource
from clawactors.eventlog.jetstream.log.streams import BLOBS
from clawactors.eventlog.jetstream.wire.api import ApiError, StoredMessage, call, last_message
from clawactors.eventlog.jetstream.wire.codes import WRONG_LAST_SEQUENCE
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.record import Record

__all__ = [
    "BUCKET",
    "CHUNK_BYTES",
    "PATIENCE_S",
    "TIMEOUT_S",
    "BlobDescription",
    "BlobDescriptions",
    "DescribedOptions",
    "Raced",
    "about",
    "publish",
    "read_description",
    "source_of",
]

BUCKET: Final = "claw-blobs"
CHUNK_BYTES: Final = 256 << 10
TIMEOUT_S: Final = 10.0
PATIENCE_S: Final = 30.0


class DescribedOptions(msgspec.Struct):
    """How the payload is split."""

    max_chunk_size: int = CHUNK_BYTES


class BlobDescription(msgspec.Struct):
    """The description of a payload in the format of NATS's object stores; `nuid` names its chunks."""

    name: str
    nuid: str
    size: int
    chunks: int
    digest: str
    bucket: str = BUCKET
    deleted: bool = False
    options: DescribedOptions = msgspec.field(default_factory=DescribedOptions)


class _StoreAnswer(msgspec.Struct):
    seq: int = 0
    error: ApiError | None = None


class Raced(EventLogError):
    """Another process changed it meanwhile: put it again."""


class BlobDescriptions:
    """The descriptions in the store of one server or cluster."""

    def __init__(self, connection: Connection, *, purges: bool) -> None:
        self._connection, self._purges = connection, purges

    async def last(self, name: str) -> tuple[StoredMessage | None, BlobDescription | None]:
        """The last message about it, and its description; None if there is none, or it is removed."""
        stored = await last_message(self._connection, BLOBS, about(name))
        if stored is None:
            return None, None
        try:
            description = msgspec.json.decode(stored.data, type=BlobDescription)
        except msgspec.MsgspecError:
            raise Corrupt(f"the description of the payload {name} in the object store is damaged") from None
        return stored, None if description.deleted else description

    async def all(self) -> AsyncIterator[tuple[Record, BlobDescription]]:
        """All descriptions, each with its record."""
        for record in await self.records():
            if (described := read_description(record)) is not None:
                yield record, described

    async def _purge_before(self, subject: str, version: int) -> None:
        await call(self._connection, f"STREAM.PURGE.{BLOBS}", {"filter": subject, "seq": version}, TIMEOUT_S)

    async def records(self) -> list[Record]:
        """The last record of each description."""
        last: dict[str, Record] = {}
        source = await source_of(self._connection)
        async for records in read(source, [f"$O.{BUCKET}.M.>"], 0, None, None, PATIENCE_S):
            last.update((record.subject, record) for record in records)
        return list(last.values())

    async def tidy(self) -> None:
        """Drops those that a later one of the same payload follows. Raises: `Unavailable`."""
        seen, outdated = dict[str, int](), set[str]()
        source = await source_of(self._connection)
        async for records in read(source, [f"$O.{BUCKET}.M.>"], 0, None, None, PATIENCE_S):
            for record in records:
                if record.subject in seen:
                    outdated.add(record.subject)
                seen[record.subject] = record.seq
        for subject in outdated:
            await self._purge_before(subject, seen[subject])

    async def write(self, description: BlobDescription, after: int) -> int:
        """Writes the description after that version; returns its version."""
        headers = f"NATS/1.0\r\nNats-Expected-Last-Subject-Sequence: {after}\r\n\r\n".encode()
        subject = about(description.name)
        version = await publish(self._connection, subject, msgspec.json.encode(description), headers)
        if after and self._purges:
            # Not by a rollup header: a store that allows it lets one message erase all others.
            with contextlib.suppress(EventLogError):  # an older description does no harm; the next write purges it
                await self._purge_before(subject, version)
        return version


async def source_of(connection: Connection) -> StreamSource:
    """The stream of the object store. Raises: `Unavailable`."""
    info = await call(connection, f"STREAM.INFO.{BLOBS}")
    return StreamSource(connection, info)


async def publish(connection: Connection, subject: str, body: bytes, headers: bytes = b"") -> int:
    """Stores one message; returns its sequence. Raises: `Raced`, `Unavailable`, `Misconfigured`."""
    _, answer = await connection.ask(subject, body, headers, timeout_s=TIMEOUT_S)
    told = msgspec.json.decode(answer, type=_StoreAnswer)
    if (error := told.error) is None:
        return told.seq
    if error.err_code == WRONG_LAST_SEQUENCE:
        raise Raced(error.description)
    if error.code >= 500:
        raise Unavailable(f"the object store does not take it now: {error.description}")
    raise Misconfigured(f"the object store does not take it: {error.description}")


def read_description(record: Record) -> BlobDescription | None:
    """The description, None if it is foreign or damaged: then its payload stays."""
    try:
        return msgspec.json.decode(record.body, type=BlobDescription)
    except msgspec.MsgspecError:
        return None


def about(name: str) -> str:
    """The subject of the description of that name."""
    return f"$O.{BUCKET}.M.{urlsafe_b64encode(name.encode()).decode()}"
