"""Takes payloads away that no record names any more. Nothing that may still be wanted goes:

1. The age comes first: only what was put last, by the store's clock, longer ago than `older_s` is looked at. To put it
   again makes it young, so a process that stored a payload has that long to append the record that names it.
2. Then all of the log is read, up to its end after that, and all output: every name in any record keeps its payload,
   whatever the record is, and so does every name within a payload that is kept.
3. A task's own records keep nothing any more once it was deleted or archived, longer ago than that as well: until then
   a fork of it may be under way.
4. What was put again since it was looked at stays: the store compares versions.
5. Parts of a put that was killed half way go too, once nothing of it came for longer than that.
"""

import re
from collections.abc import AsyncIterator, Callable, Container, Iterable, Iterator
from contextlib import suppress
from typing import Final

import msgspec

from clawactors.eventlog import Corrupt, EventLog, Missing, Record
from clawactors.eventlog.blobs import Blob, Blobs
from clawactors.eventlog.outputs import Outputs
from clawactors.kernel.errors import Refused
from clawactors.runtime.reading import read_tasks

__all__ = ["BlobSearch", "SweepReport", "names_in", "retain_inner", "sweep", "with_inner"]

_NAME: Final = 64
_RUNS: Final = re.compile(rb"[0-9a-f]{64,}")


class SweepReport(msgspec.Struct):
    """Payloads that there are, that no record names, and that were removed, with their bytes; `unfinished` puts."""

    blobs: int = 0
    bytes: int = 0
    unnamed: int = 0
    unnamed_bytes: int = 0
    removed: int = 0
    unfinished: int = 0


async def sweep(
    log: EventLog,
    blobs: Blobs,
    outputs: Outputs,
    older_s: float,
    *,
    removes: bool = True,
    progress: Callable[[int], None] = lambda seq: None,
) -> SweepReport:
    """Finds them and takes them away; `progress` is told how far the log was read. Raises: what log and store raise."""
    now_ns = (await log.head()).at_ns
    if not now_ns:
        raise Refused("the log does not tell its time, so nothing can be known to be old")
    before_ns = now_ns - int(older_s * 1e9)
    all_blobs = await blobs.stored()
    search = BlobSearch(blob.name for blob in all_blobs if blob.put_ns < before_ns)
    if search.left:
        async for records in log.read(["claw.*.>"]):
            for record in records:
                search.read(record)
            progress(records[-1].seq)
        search.settle([id async for id in _gone(log, search.owners(), before_ns)])
    if search.left:
        async for records in outputs.read():
            for record in records:
                search.retain(record.body)
    await retain_inner(blobs, all_blobs, search)
    swept = SweepReport(len(all_blobs), sum(blob.size_bytes for blob in all_blobs))
    for blob in all_blobs:
        if blob.name in search.left:
            swept.unnamed += 1
            swept.unnamed_bytes += blob.size_bytes
            swept.removed += removes and await blobs.remove(blob)
    unfinished = await blobs.unfinished(before_ns)
    swept.unfinished = len(unfinished)
    if removes:
        for name in unfinished:
            await blobs.drop(name)
        await blobs.clear()
    return swept


class BlobSearch:
    """`left` are the names that no record read so far refers to."""

    def __init__(self, names: Iterable[str]) -> None:
        self.left = set(names)
        self._of_tasks: dict[str, set[str]] = {}

    def read(self, record: Record) -> None:
        """Names in a task's record are kept as long as the task is; those in any other for ever."""
        found = [name for name in names_in(record.body) if name in self.left]
        if not found:
            return
        parts = record.subject.split(".", 3)
        if parts[1] != "task":
            self.left.difference_update(found)
        for name in found:
            self._of_tasks.setdefault(name, set()).add(parts[2])

    def owners(self) -> set[str]:
        """The tasks that keep what is left."""
        return {id for name in self.left for id in self._of_tasks.get(name, ())}

    def settle(self, gone: Iterable[str]) -> None:
        """All tasks but these keep what they name."""
        taken_away = set(gone)
        self.left = {name for name in self.left if self._of_tasks.get(name, set()) <= taken_away}

    def retain(self, body: bytes) -> None:
        """What is named there stays."""
        self.left.difference_update(names_in(body))


def names_in(body: bytes) -> Iterator[str]:
    """Everything in it that may be a name."""
    for run in _RUNS.findall(body):
        for start in range(len(run) - _NAME + 1):
            yield run[start : start + _NAME].decode()


async def _gone(log: EventLog, ids: Iterable[str], before_ns: int) -> AsyncIterator[str]:
    async for id, known in read_tasks(log, ids):
        life = known.state.life
        if life.status == "archived" and life.updated_ns < before_ns and not known.frozen:
            yield id


async def retain_inner(blobs: Blobs, all_blobs: Iterable[Blob], search: BlobSearch) -> None:
    """Payloads that stay keep those that they name."""
    seen: set[str] = set()
    while search.left:
        todo = [blob.name for blob in all_blobs if blob.name not in search.left and blob.name not in seen]
        if not todo:
            return
        for name in todo:
            seen.add(name)
            try:
                search.retain(await blobs.get(name))
            except (Missing, Corrupt):
                continue  # nobody can read in it what it names


async def with_inner(blobs: Blobs, names: Iterable[str], stored: Container[str]) -> set[str]:
    """The names, and all that these payloads name, and so on, of those that are stored."""
    found, todo = set[str](), [*names]
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found.add(name)
        with suppress(Missing, Corrupt):
            todo += [each for each in names_in(await blobs.get(name)) if each in stored]
    return found
