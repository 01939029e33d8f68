"""Reads one archive file: its directory at once, everything else by need."""

import asyncio
import base64
import bisect
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final

import msgspec

from clawactors.eventlog.archive.frames import (
    FORMAT,
    TRAILER_BYTES,
    Directory,
    Frame,
    IndexEntry,
    decompress,
    directory_place,
)
from clawactors.eventlog.archive.lines import record_of
from clawactors.eventlog.archive.store import ArchiveStore
from clawactors.eventlog.errors import Corrupt, Missing
from clawactors.eventlog.record import Record

__all__ = ["ArchiveFile"]

_directory: Final = msgspec.json.Decoder(Directory).decode
_entry: Final = msgspec.json.Decoder(IndexEntry).decode
_blob: Final = msgspec.json.Decoder(dict[str, Any]).decode


class ArchiveFile:
    """A file of a store; `directory` says what is in it."""

    def __init__(self, store: ArchiveStore, name: str, directory: Directory, size: int) -> None:
        self._store, self.name, self.directory, self.size = store, name, directory, size

    @classmethod
    async def open(cls, store: ArchiveStore, name: str) -> "ArchiveFile":
        """Reads the directory. Raises: `Missing`, `Corrupt`; what the store raises."""
        size = await store.size(name)
        try:
            place = directory_place(await store.read(name, max(0, size - TRAILER_BYTES), TRAILER_BYTES))
            directory = _directory(decompress(await store.read(name, place.offset, place.size)))
        except msgspec.MsgspecError as error:
            raise _damaged(name, f"its index can't be read: {error}") from None
        except Missing:
            raise
        except Corrupt as error:
            raise _damaged(name, str(error)) from None
        if directory.format > FORMAT:
            raise _damaged(name, f"a later release wrote it (format {directory.format}, this one reads {FORMAT})")
        return cls(store, name, directory, size)

    async def find(self, aggregate: str) -> IndexEntry | None:
        """What the index says of it. Raises: `Corrupt`; what the store raises."""
        number = bisect.bisect_right(self.directory.index, aggregate, key=lambda part: part[0]) - 1
        if number < 0:
            return None
        async for entry in self._entries(self.directory.index[number][1]):
            if entry.aggregate == aggregate:
                return entry
        return None

    async def entries(self) -> AsyncIterator[IndexEntry]:
        """All of the index, in the order of names. Raises: `Corrupt`; what the store raises."""
        for _, frame in self.directory.index:
            async for entry in self._entries(frame):
                yield entry

    async def _entries(self, frame: Frame) -> AsyncIterator[IndexEntry]:
        for line in (await self._lines(frame)).splitlines():
            yield _entry(line)

    async def history(self, aggregate: str) -> list[Record]:
        """All records of one aggregate, none if it is not in the index. Raises: `Corrupt`; what the store raises."""
        entry = await self.find(aggregate)
        prefix = f"claw.{aggregate.replace('/', '.', 1)}."
        records: list[Record] = []
        for number in entry.frames if entry else ():
            found = await self._records(self.directory.frames[number])
            records += (record for record in found if record.subject.startswith(prefix))
        return records

    async def blob(self, name: str) -> bytes | None:
        """A payload, None if the file has none of that name. Raises: `Corrupt`; what the store raises."""
        entry = await self.find(f"blob/{name}")
        if entry is None:
            return None
        line = _blob(await self._lines(self.directory.frames[entry.frames[0]]))
        return base64.b64decode(line["base64"])

    async def verify(self) -> None:
        """Reads all of it: each frame has a checksum. Raises: `Corrupt`; what the store raises."""
        for frame in (*self.directory.frames, *(frame for _, frame in self.directory.index)):
            await self._lines(frame)

    async def records(self, after: int = 0, until: int | None = None) -> AsyncGenerator[list[Record]]:
        """The records with `after < seq`, up to `until`, a frame at a time. Raises: `Corrupt`; as the store."""
        for frame in self.directory.frames:
            if frame.last_seq <= after or (until is not None and frame.first_seq > until):
                continue
            records = await self._records(frame)
            if frame.first_seq <= after or (until is not None and frame.last_seq > until):
                records = [each for each in records if after < each.seq and (until is None or each.seq <= until)]
            yield records

    async def _records(self, frame: Frame) -> list[Record]:
        lines = await self._lines(frame)
        try:
            return await asyncio.to_thread(lambda: [record_of(line) for line in lines.split(b"\n") if line])
        except Corrupt as error:
            raise _damaged(self.name, str(error)) from None

    async def _lines(self, frame: Frame) -> bytes:
        compressed = await self._store.read(self.name, frame.offset, frame.size)
        try:
            return decompress(compressed)
        except Corrupt as error:
            raise _damaged(self.name, f"{error} (at byte {frame.offset})") from None


def _damaged(name: str, what: str) -> Corrupt:
    return Corrupt(f"the archive file {name} is damaged, bring it back from a backup: {what}")
