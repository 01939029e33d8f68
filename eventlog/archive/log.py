"""A log with its archive: reads as if nothing had been moved.

1. A record is found in the log, in the archive, or in both; it is given once, in the order of the log.
2. An aggregate whose first record names one that is not there has moved: its tombstone says to which file.
3. What the archive should have and has not is an error, or told to `damaged` where reading has to go on.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Final

from clawactors.eventlog.archive.archive import Archive
from clawactors.eventlog.archive.file import ArchiveFile
from clawactors.eventlog.archive.follower import ArchiveFollower
from clawactors.eventlog.archive.merging import SortedReading, merged
from clawactors.eventlog.errors import Corrupt, EventLogError, Unavailable
from clawactors.eventlog.log import Follower, Head
from clawactors.eventlog.patterns import matcher
from clawactors.eventlog.record import Draft, Record, aggregate_pattern, is_aggregate_pattern
from clawactors.eventlog.sealing import SealedLog, Sealer

__all__ = ["ArchivedLog"]

type ArchivedIn = Callable[[Record], str]
"""The file that a record says its aggregate has moved to; '' for any other record."""

_MISSING_SHOWN: Final = 3
_TAIL: Final = 2000


def _raise(error: EventLogError) -> None:
    raise error


class ArchivedLog:
    """An `EventLog`. `archived_in` knows tombstones; `damaged` is told what can't be read, and raises by default."""

    def __init__(
        self,
        log: SealedLog,
        archive: Archive,
        archived_in: ArchivedIn,
        damaged: Callable[[EventLogError], None] = _raise,
    ) -> None:
        self.log, self.archive = log, archive
        self._archived_in, self._damaged = archived_in, damaged
        self._named: set[str] = set()
        self._unreadable: dict[str, Corrupt] = {}

    @property
    def sealer(self) -> Sealer:
        """See `SealedLog`."""
        return self.log.sealer

    def sealed(
        self, patterns: Sequence[str], *, after: int = 0, since_ns: int | None = None, until: int | None = None
    ) -> AsyncGenerator[list[Record]]:
        """See `SealedLog`: what has moved is not in it."""
        return self.log.sealed(patterns, after=after, since_ns=since_ns, until=until)

    async def append(self, draft: Draft, expected: int) -> int:
        """See `EventLog`."""
        return await self.log.append(draft, expected)

    async def append_many(self, drafts: Sequence[tuple[Draft, int]]) -> list[int | EventLogError]:
        """See `EventLog`."""
        return await self.log.append_many(drafts)

    async def append_all(self, drafts: Sequence[tuple[Draft, int]]) -> list[int]:
        """See `EventLog`."""
        return await self.log.append_all(drafts)

    async def purge(self, kind: str, id: str, before: int) -> int:
        """See `EventLog`."""
        return await self.log.purge(kind, id, before)

    async def follow(self, patterns: Sequence[str], *, after: int | None = None, sparse: bool = False) -> Follower:
        """See `EventLog`."""
        if after is None or not await self._files(patterns, after):
            return await self.log.follow(patterns, after=after, sparse=sparse)
        until = (await self.log.head()).last_seq
        then = await self.log.follow(patterns, after=until, sparse=sparse)
        return ArchiveFollower(self.read(patterns, after=after, until=until), after, then)

    async def head(self) -> Head:
        """See `EventLog`."""
        return await self.log.head()

    async def read(
        self,
        patterns: Sequence[str],
        *,
        after: int = 0,
        since_ns: int | None = None,
        until: int | None = None,
        ahead: bool = False,
    ) -> AsyncGenerator[list[Record]]:
        """See `EventLog`. Raises: also `Missing` and `Corrupt` about the archive."""
        if len(patterns) == 1 and is_aggregate_pattern(patterns[0]) and since_ns is None:
            batches = self._read_one(patterns[0], after, until)
        else:
            batches = self._read_all(patterns, after, since_ns, until, ahead=ahead)
        async with aclosing(batches):
            async for records in batches:
                yield records

    # One aggregate

    async def _read_one(self, pattern: str, after: int, until: int | None) -> AsyncGenerator[list[Record]]:
        async with aclosing(self.log.read([pattern], after=after, until=until)) as batches:
            async for records in batches:
                if records[0].expected > after or self._archived_in(records[0]):
                    break  # something came before it; a mirror keeps no guards, but tombstones
                after = records[-1].seq
                yield records
            else:
                if until is None or after >= until:
                    return
        # Where nothing lies behind `after`, the tombstone may lie behind `until`.
        records, file = await self._moved(pattern, after)
        if file:
            records += await self._history(file, pattern)
        by_seq = {each.seq: each for each in records if each.seq > after and (until is None or each.seq <= until)}
        if by_seq:
            yield [by_seq[seq] for seq in sorted(by_seq)]

    async def _moved(self, pattern: str, after: int) -> tuple[list[Record], str]:
        """The records of an aggregate in the log behind `after`, and the file that one of them names."""
        records: list[Record] = []
        async for batch in self.log.read([pattern], after=after):
            records += batch
        return records, next(filter(None, map(self._archived_in, records)), "")

    async def _history(self, file: str, pattern: str) -> list[Record]:
        try:
            return await self.sealer.open(await self.archive.history(file, "/".join(pattern.split(".")[1:3])))
        except Corrupt as error:
            self._damaged(error)
            return []

    # All of it

    async def _read_all(
        self, patterns: Sequence[str], after: int, since_ns: int | None, until: int | None, *, ahead: bool
    ) -> AsyncGenerator[list[Record]]:
        last = (await self.log.head()).last_seq
        until = last if until is None else min(until, last)
        read = partial(self.log.read, patterns, after=after, since_ns=since_ns, until=until, ahead=ahead)
        if until == last and (tail := await self._tail(read)) is not None:
            if tail:
                yield tail
            return
        known = set(await self.archive.names())
        files = await self._files(patterns, after)
        fits = matcher(patterns)
        readings = [SortedReading(0, read)]
        readings += [
            SortedReading(file.directory.first_seq, partial(self._of_file, file, after, until)) for file in files
        ]
        missing: set[str] = set()
        async with aclosing(merged(readings)) as batches:
            async for records in batches:
                for record in records:
                    if (file := self._archived_in(record)) and (file not in known or file in self._unreadable):
                        missing.add(file)
                if files:
                    records = [
                        each for each in records if fits(each.subject) and (since_ns is None or each.at_ns >= since_ns)
                    ]
                if records:
                    yield records
        for file in missing & self._unreadable.keys():
            self._damaged(self._unreadable[file])
        if lacking := missing - self._unreadable.keys():
            self._damaged(_lacks(lacking))
        if set(await self.archive.names()) - known:
            raise Unavailable("tasks were archived while the log was read: read it again")

    async def _tail(self, read: Callable[[], AsyncGenerator[list[Record]]]) -> list[Record] | None:
        """A short reading, of which nothing has moved, since no tombstone is behind it; None for any other."""
        tail: list[Record] = []
        async with aclosing(read()) as batches:
            async for records in batches:
                tail += records
                if len(tail) > _TAIL or any(map(self._archived_in, records)):
                    return None
        return tail

    async def _of_file(self, file: ArchiveFile, after: int, until: int) -> AsyncGenerator[list[Record]]:
        async with aclosing(file.records(after, until)) as batches:
            try:
                async for records in batches:
                    yield await self.sealer.open(records)
            except Corrupt as error:
                self._damaged(error)

    async def _files(self, patterns: Sequence[str], after: int) -> list[ArchiveFile]:
        """The files that may have records behind that sequence which match any of the patterns."""
        kinds = {pattern.split(".")[1] for pattern in patterns if "." in pattern}
        return [
            file
            for file in await self.files()
            if file.directory.last_seq > after and (kinds & {"*", ">"} or not kinds.isdisjoint(file.directory.kinds))
        ]

    async def files(self) -> list[ArchiveFile]:
        """The files of the archive that the log names."""
        found: list[ArchiveFile] = []
        for name in await self.archive.names():
            try:
                file = await self.archive.file(name)
                if name in self._named or await self._is_named(file, name):
                    self._named.add(name)
                    found.append(file)
                self._unreadable.pop(name, None)
            except Corrupt as error:  # it matters only if the log names it
                self._unreadable[name] = error
        return found

    async def _is_named(self, file: ArchiveFile, name: str) -> bool:
        """Does the log say of anything in the file that it has moved there? One that says so is enough."""
        async for entry in file.entries():
            if entry.records:
                _, named = await self._moved(aggregate_pattern(*entry.aggregate.split("/", 1)), entry.last_seq)
                if named == name:
                    return True
        return False


def _lacks(missing: set[str]) -> Corrupt:
    """The error about files that the log names and the archive has not."""
    shown = ", ".join(sorted(missing)[:_MISSING_SHOWN])
    more = f" and {len(missing) - _MISSING_SHOWN} more" if len(missing) > _MISSING_SHOWN else ""
    return Corrupt(f"the archive lacks {shown}{more}, which the log names: bring them back from a backup")
