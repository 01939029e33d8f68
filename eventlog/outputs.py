"""Streamed output, in streams by id and name: the port, and its adapter within one process."""

from collections.abc import AsyncIterator, Collection
from typing import Protocol

from clawactors.eventlog.inprocess import InProcessLog
from clawactors.eventlog.log import Follower
from clawactors.eventlog.record import ROOT, WRITTEN, Record

__all__ = ["InProcessOutputs", "Outputs", "patterns_of"]


def patterns_of(id: str, stream: str) -> list[str]:
    """The subjects of a stream: one a writer, and the one without, of what earlier releases have stored."""
    subject = f"{ROOT}.output.{id}.{stream}"
    return [f"{subject}.{WRITTEN}.*", subject]


class Outputs(Protocol):
    """Streamed output, in streams by id and name; it is stored for days and is not part of the history."""

    async def publish(self, id: str, stream: str, writer: str, body: bytes, name: str, owner: str = "") -> None:
        """Appends to the stream; a message with a known name is stored once. Raises: `Unavailable`.

        `writer` is the node that says it: the server lets nobody else. `owner` is the id of whose it is, '' for
        nobody's: see `SealedOutputs`.
        """
        ...

    def read(self) -> AsyncIterator[list[Record]]:
        """All stored output. Raises: `Unavailable`."""
        ...

    async def follow(self, id: str, stream: str, after: int = 0) -> Follower:
        """The records of a stream after that sequence, and each new one. Raises: `Unavailable`."""
        ...

    async def remove(self, ids: Collection[str]) -> int:
        """Removes all streams of these ids; returns how many of the ids had any. Raises: `Unavailable`."""
        ...


class InProcessOutputs:
    """Streams by id and name."""

    def __init__(self) -> None:
        self._log = InProcessLog()
        self._names: set[str] = set()
        self._removed: dict[str, int] = {}

    async def publish(self, id: str, stream: str, writer: str, body: bytes, name: str, owner: str = "") -> None:
        """Appends to the stream, once for each name."""
        if name not in self._names:
            self._names.add(name)
            self._log.publish(f"claw.output.{id}.{stream}.{WRITTEN}.{writer}", body)

    def read(self) -> AsyncIterator[list[Record]]:
        """All stored output."""
        return self._kept()

    async def _kept(self) -> AsyncIterator[list[Record]]:
        async for records in self._log.read(["claw.output.>"]):
            if kept := [each for each in records if each.seq > self._removed.get(each.subject.split(".")[2], 0)]:
                yield kept

    async def follow(self, id: str, stream: str, after: int = 0) -> Follower:
        """The records of a stream after that sequence, and each new one."""
        return await self._log.follow(patterns_of(id, stream), after=max(after, self._removed.get(id, 0)))

    async def remove(self, ids: Collection[str]) -> int:
        """Removes all streams of these ids; returns how many of the ids had any."""
        had = {record.subject.split(".")[2] async for records in self._kept() for record in records} & set(ids)
        self._removed |= dict.fromkeys(had, self._log.last_seq)
        return len(had)
