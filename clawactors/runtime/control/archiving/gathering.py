"""Writes the histories of many tasks into one file: records in the order of the log, then what they name."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from itertools import batched
from typing import Final

from clawactors.eventlog import Corrupt, Missing, Record, aggregate_pattern
from clawactors.eventlog.archive.writer import ArchiveWriter
from clawactors.eventlog.blobs import Blobs
from clawactors.eventlog.sealing import SealedLog
from clawactors.systems.tasks.kind import TASKS

__all__ = ["FILE_BYTES", "Gatherer", "Pause", "Place"]

FILE_BYTES: Final = 48 << 20
"""A file that has grown to this ends: with its payloads and its index it stays below 64 MB."""

_WORTH: Final = 500
"""So many messages of the log are read in the time that a reading for one task takes."""
_AT_ONCE: Final = 16
_TOGETHER: Final = 500
_SINGLY_BYTES: Final = 64 << 20
_NAME: Final = 64
_RUNS: Final = re.compile(rb"[0-9a-f]{64,}")

type Pause = Callable[[float], Awaitable[None]]
"""Called after each piece of work with the seconds that it took: it sets the pace."""

type Place = tuple[int, int]
"""The sequence of a task's first record, and its version."""


class Gatherer:
    """`add` writes histories; those that are whole in the file are in `whole`, and `named` are payloads they name."""

    def __init__(self, log: SealedLog, blobs: Blobs, writer: ArchiveWriter, pause: Pause) -> None:
        self._log, self._blobs, self._writer, self._pause = log, blobs, writer, pause
        self.whole: dict[str, Place] = {}
        self.odd: list[str] = []
        """Tasks whose records don't follow each other by their guards; each has to be read by itself."""
        self._named: dict[str, set[str]] = {}
        """Names of payloads, each with the keys of the records that name it, '' for one that is not sealed."""

    async def add(self, tasks: Mapping[str, Place], *, singly: bool = False) -> None:
        """Writes the histories up to those versions, until the file is full. Raises: what the log raises."""
        first, last = min(place[0] for place in tasks.values()), max(place[1] for place in tasks.values())
        if singly or last - first > _WORTH * len(tasks):
            await self._add_singly(tasks)
        else:
            await self._scan(tasks, first, last)

    async def _scan(self, tasks: Mapping[str, Place], first: int, last: int) -> None:
        """One reading of that part of the log, in which the histories lie whole or show that they don't."""
        versions: dict[str, int] = {}
        odd: set[str] = set()
        async with aclosing(self._log.sealed([TASKS.pattern], after=first - 1, until=last)) as batches:
            async for records in batches:
                taken: list[Record] = []
                for record in records:
                    id = record.subject.split(".", 3)[2]
                    place = tasks.get(id)
                    if place is None or record.seq > place[1] or id in odd:
                        continue
                    if record.expected != versions.get(id, 0):
                        odd.add(id)
                        continue
                    versions[id] = record.seq
                    taken.append(record)
                await self._write(taken)
                if self._writer.size > FILE_BYTES:
                    break
        self.whole |= {id: place for id, place in tasks.items() if versions.get(id) == place[1] and id not in odd}
        self.odd += odd

    async def _add_singly(self, tasks: Mapping[str, Place]) -> None:
        """Reads each by itself, and sorts what came."""
        found: list[Record] = []
        size = 0
        for group in batched(tasks.items(), _AT_ONCE):
            for (id, place), history in zip(
                group, await asyncio.gather(*(self._history(id, version) for id, (_, version) in group)), strict=True
            ):
                if history and history[-1].seq == place[1]:
                    found += history
                    size += sum(len(record.body) for record in history)
                    self.whole[id] = place
            if size > _SINGLY_BYTES:
                break
        await self._write(sorted(found, key=lambda record: record.seq))

    async def _history(self, id: str, version: int) -> list[Record]:
        pattern = aggregate_pattern(TASKS.name, id)
        return [record async for records in self._log.sealed([pattern], until=version) for record in records]

    async def _write(self, records: Sequence[Record]) -> None:
        """In a thread, some at a time: the loop of this process has others to answer."""
        clock = asyncio.get_running_loop().time
        for some in batched(records, _TOGETHER):
            began = clock()
            opened = await self._log.sealer.open(list(some))
            await asyncio.to_thread(self._write_some, some, opened)
            await self._pause(clock() - began)

    def _write_some(self, records: Sequence[Record], opened: Sequence[Record]) -> None:
        """As they are stored; `opened` tell what they name."""
        for record, plain in zip(records, opened, strict=True):
            self._writer.add(record)
            for name in _names(plain.body):
                self._named.setdefault(name, set()).add(record.header("Claw-Key"))

    async def add_blobs(self) -> int:
        """Writes the payloads that the records name, and those that these name; returns how many.

        Raises: what the store raises.
        """
        if not self._named:
            return 0
        stored = {blob.name for blob in await self._blobs.stored()}
        todo, done = self._named.keys() & stored, set[str]()
        while todo:
            name = min(todo)
            done.add(name)
            try:
                body = await self._blobs.get(name)
            except (Missing, Corrupt):  # there is nothing to be moved
                body = b""
            inner = set(_names(body)) & stored
            keys = self._named[name]
            for each in inner:
                self._named.setdefault(each, set()).update(keys)
            if len(keys) == 1 and (key := next(iter(keys))):  # what others name as well is theirs too
                body = await self._log.sealer.seal_payload(key, name, body)
            if body:
                await asyncio.to_thread(self._writer.add_blob, name, body)
            todo = (todo | inner) - done
        return len(done)


def _names(body: bytes) -> Iterable[str]:
    """Everything in it that may be the name of a payload."""
    for run in _RUNS.findall(body):
        for start in range(len(run) - _NAME + 1):
            yield run[start : start + _NAME].decode()
