"""Moves histories from the log to the archive.

1. First the file, whole and durable; then the tombstones, each on the very version that the file holds; then the purge
   of just what the file has. So at any moment a history is in the log or in a file that the log names.
2. A task that changed meanwhile gets no tombstone: its copy in the file is garbage that no reader takes.
3. What a kill cut off is completed by the next run, from the file: `settle`.
4. Two leaders at once do no harm: of their tombstones one is appended, and purging twice is purging once.
"""

import asyncio
import io
import logging
import secrets
import tempfile
from collections.abc import Sequence
from itertools import batched
from typing import BinaryIO, Final, cast

import msgspec

from clawactors.eventlog import Corrupt, WrongVersion
from clawactors.eventlog.archive.archive import Archive
from clawactors.eventlog.archive.writer import ArchiveWriter
from clawactors.eventlog.blobs import Blobs
from clawactors.eventlog.sealing import SealedLog
from clawactors.kernel.errors import Refused
from clawactors.runtime.archiving import ArchiveReport
from clawactors.runtime.call import Answer, Call
from clawactors.runtime.control.archiving.gathering import Gatherer, Pause, Place
from clawactors.runtime.control.folded import FoldedSnapshots
from clawactors.runtime.control.ports import Views
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.systems.placement.opentasks import OpenTasks
from clawactors.systems.placement.order import TrackedTask
from clawactors.systems.tasks import FINAL
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.kind import TASKS

__all__ = ["BATCH", "Mover"]

BATCH: Final = 20_000
"""Tasks of one file, at most."""

_TOMBSTONES: Final = 200
_log = logging.getLogger(__name__)
_PURGES: Final = 8
_SPOOLED_BYTES: Final = 8 << 20


class Mover:
    """`run` moves all that may be moved. `open_tasks` says what others still need."""

    def __init__(
        self,
        log: SealedLog,
        archive: Archive,
        blobs: Blobs,
        dispatcher: Dispatcher,
        snapshots: FoldedSnapshots,
        views: Views,
        open_tasks: OpenTasks,
        rest_s: float = 1.0,
    ) -> None:
        self._rest_s = rest_s
        self._log, self._archive, self._blobs = log, archive, blobs
        self._dispatcher, self._snapshots, self._views, self._open = dispatcher, snapshots, views, open_tasks

    async def run(
        self, before_ns: int, report: ArchiveReport, pause: Pause, *, dry_run: bool = False, batch: int = BATCH
    ) -> None:
        """Moves all that had ended before that time; `report` grows meanwhile. Raises: what log and store raise."""
        if not dry_run:
            await self.settle(report, pause)
        after = 0
        while found := await self._views.archivable(before_ns, batch, after):
            after = found[-1].first
            tasks = {each.id: (each.first, each.version) for each in found if not self._is_needed(each.id, each.parent)}
            report.found += len(found)
            report.left += len(found) - len(tasks)
            while tasks and not dry_run:
                left = await self._move(tasks, report, pause)
                if len(left) == len(tasks):  # of what is left nothing can be moved
                    report.left += len(left)
                    break
                tasks = left

    def _is_needed(self, id: str, parent: str) -> bool:
        """Open tasks still read it: a parent counts its children, a task follows its predecessor, a fork its source."""
        tasks = self._open
        return (
            id in tasks.dependencies.watched
            or (parent != "" and parent in tasks.by_id)
            or any(_source_of(tasks.by_id.get(fork)) == id for fork in tasks.forks)
        )

    async def _move(self, tasks: dict[str, Place], report: ArchiveReport, pause: Pause) -> dict[str, Place]:
        """Moves what fits into one file; returns what is left."""
        head = await self._log.head()
        name = f"{min(first for first, _ in tasks.values()):012d}-{secrets.token_hex(4)}"
        with tempfile.SpooledTemporaryFile(_SPOOLED_BYTES) as spooled:
            file = cast("BinaryIO", spooled)
            writer = ArchiveWriter(file, head.identity, head.at_ns)
            gatherer = Gatherer(self._log, self._blobs, writer, pause)
            await gatherer.add(tasks)
            if not gatherer.whole and gatherer.odd:
                await gatherer.add({id: tasks[id] for id in gatherer.odd}, singly=True)
            if not gatherer.whole:
                return tasks
            report.blobs += await gatherer.add_blobs()
            whole = {f"{TASKS.name}/{id}" for id in gatherer.whole}
            directory = await asyncio.to_thread(writer.finish, whole)
            file.seek(0)
            await self._archive.add(name, file)
        report.files += 1
        report.records += directory.records
        report.bytes += writer.raw_size
        report.stored_bytes += writer.size
        await self._complete(name, list(gatherer.whole.items()), report, pause)
        return {id: place for id, place in tasks.items() if id not in gatherer.whole}

    async def settle(self, report: ArchiveReport, pause: Pause) -> None:
        """Completes what earlier runs have begun. Raises: what log and store raise."""
        for name in await self._archive.unfinished():
            try:
                file = await self._archive.file(name)
            except Corrupt as error:  # what it holds is still in the log, or it would have been finished
                _log.error("%s", error)
                continue
            tasks = [
                (entry.aggregate.partition("/")[2], (entry.first_seq, entry.last_seq))
                async for entry in file.entries()
                if entry.records
            ]
            await self._complete(name, tasks, report, pause)

    async def _complete(
        self, file: str, tasks: Sequence[tuple[str, Place]], report: ArchiveReport, pause: Pause
    ) -> None:
        """Appends tombstones where nothing has changed, then purges what has one."""
        clock = asyncio.get_running_loop().time
        gone: list[tuple[str, int]] = []
        for group in batched(tasks, _TOMBSTONES):
            began = clock()
            gone += await self._name(file, group, report)
            await pause(clock() - began)
        # A reader that is at the end of the log just now gets past what goes.
        await asyncio.sleep(self._rest_s if gone else 0)
        for some in batched(gone, _PURGES):
            began = clock()
            purged = await asyncio.gather(*(self._log.purge(TASKS.name, id, upto + 1) for id, upto in some))
            report.purged += sum(purged)
            report.cleared += len(some)
            await pause(clock() - began)
        await self._archive.finish(file, io.BytesIO(msgspec.json.encode({"archived": len(gone)})))

    async def _name(
        self, file: str, tasks: Sequence[tuple[str, Place]], report: ArchiveReport
    ) -> list[tuple[str, int]]:
        """Appends the tombstones that are due; the tasks that have one, each with the last sequence in the file."""
        gone: list[tuple[str, int]] = []
        calls: list[tuple[int, Call]] = []
        for id, (first, version) in tasks:
            known, _ = self._snapshots.states.get(TASKS.name, id, brief=True)
            spec, life = known.state.spec, known.state.life
            if life.archived is not None:
                if life.archived.file == file:
                    gone.append((id, version))
            elif spec is None or known.frozen or known.version != version or life.status not in FINAL:
                report.left += 1
            elif not self._is_needed(id, spec.parent):
                command = c.ArchiveTask(file, first)
                calls.append((version, Call(TASKS, id, (command,), known=known, once=True)))
        replies = await self._dispatcher.send_many([call for _, call in calls]) if calls else ()
        for (version, call), reply in zip(calls, replies, strict=True):
            match reply:
                case Answer():
                    gone.append((call.id, version))
                    report.archived += 1
                case WrongVersion() | Refused():
                    report.left += 1
                case _:
                    raise reply
        return gone


def _source_of(fork: TrackedTask | None) -> str:
    return fork.task.spec.fork_of if fork is not None and fork.task.spec is not None else ""
