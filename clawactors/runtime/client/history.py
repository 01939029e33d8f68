"""The history of one task: its commits, and its state at an earlier point.

The records are asked of control, page by page.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from clawactors.eventlog import Corrupt, Record
from clawactors.eventlog.decoding import Commit
from clawactors.kernel.errors import NotFound
from clawactors.kernel.fold import Snapshot, fold
from clawactors.kernel.time import iso
from clawactors.kinds import DECODER
from clawactors.runtime.client.rows import TaskRow, task_row
from clawactors.runtime.questions import Questions
from clawactors.runtime.recordpages import HistoryQuestion, PageReader, page_in
from clawactors.systems.tasks import TASK, Task
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.submission import checked_id

__all__ = ["HistoryEntry", "Place", "TaskHistory", "archived_row", "before_archive", "read_history", "read_records"]

_encode: Final = msgspec.msgpack.Encoder().encode

type Place = tuple[str, int]
"""`("seq", n)` or `("time", ns)`."""


class HistoryEntry(msgspec.Struct, frozen=True):
    """One event: its place in the log, its time, its type, what it says (`data`), its author and receiver.

    A record that is no commit has what is wrong with it as its type, and the reason in `data`.
    """

    seq: int
    at: str | None
    type: str
    data: dict[str, Any] = {}
    by: str = ""
    to: str = ""

    @property
    def row(self) -> dict[str, Any]:
        """As `claw task ID --history --json` prints it: what the event says, beside the rest."""
        beside = {name: value for name, value in (("by", self.by), ("to", self.to)) if value}
        # An event's own `by` says more than the commit's.
        return {"seq": self.seq, "at": self.at, "type": self.type} | beside | self.data


class TaskHistory(msgspec.Struct, frozen=True):
    """A task at a sequence number of the log, and the commits up to there."""

    id: str
    known: Snapshot[Task]
    commits: list[Commit]

    @property
    def row(self) -> TaskRow:
        """The row at that point; of a task in the archive as it was when it had ended."""
        if self.known.state.life.archived is None:
            return task_row(self.id, self.known)
        before: Snapshot[Task] = Snapshot(TASK.initial)
        for commit in self.commits:
            after = fold(TASKS, before, commit.record)
            if after.state.life.archived is not None:
                break
            before = after
        return _moved(self.id, self.known, before)

    @property
    def entries(self) -> list[HistoryEntry]:
        """One entry per event, oldest first."""
        return [entry for commit in self.commits for entry in _entries(commit)]

    def last(self, *kinds: type) -> tuple[Any, Commit] | None:
        """The newest event of these kinds and its commit."""
        found = ((event, commit) for commit in reversed(self.commits) for event in reversed(commit.events))
        return next((pair for pair in found if isinstance(pair[0], kinds)), None)


async def read_history(questions: Questions, id: str, place: Place | None = None) -> TaskHistory:
    """All commits of the task up to that point. Raises: `NotFound`, `Refused` (malformed id), `Unavailable`."""
    unit, most = place or ("seq", None)
    known: Snapshot[Task] = Snapshot(TASK.initial)
    commits: list[Commit] = []
    async for record in read_records(questions, TASKS.name, checked_id(id), most if unit == "seq" else None):
        if unit == "seq" or (most is not None and record.at_ns <= most):
            known = fold(TASKS, known, record)
            commits.append(DECODER.decode(record))
    if not known.state.exists and not known.frozen:
        raise NotFound(f"there was no task {id!r} then" if place else f"there is no task {id!r}")
    return TaskHistory(id, known, commits)


async def before_archive(questions: Questions, id: str) -> Snapshot[Task]:
    """A task that has moved to the archive as it was when it had ended. Raises: `Corrupt`, `Missing`, `Unavailable`."""
    before: Snapshot[Task] = Snapshot(TASK.initial)
    async for record in read_records(questions, TASKS.name, id):
        after = fold(TASKS, before, record)
        if after.state.life.archived is not None:
            break
        before = after
    return before


async def archived_row(questions: Questions, id: str, known: Snapshot[Task]) -> TaskRow:
    """The row of a task that has moved to the archive: as it was when it had ended; without its file, the little known.

    Raises: `Unavailable`.
    """
    before: Snapshot[Task] = Snapshot(TASK.initial)
    with suppress(Corrupt):
        before = await before_archive(questions, id)
    return _moved(id, known, before)


def _moved(id: str, known: Snapshot[Task], before: Snapshot[Task]) -> TaskRow:
    """The row of a task that has moved, of what it was `before` as far as that is known."""
    tombstone, row = known.state.life.archived, task_row(id, known)
    if tombstone is None:
        return row
    moved = {"status": row.status, "version": row.version, "archived_in": tombstone.file}
    moved["ended"] = tombstone.ended or "deleted"
    return replace(task_row(id, before) if before.state.exists else row, **moved)


async def read_records(
    questions: Questions, kind: str, id: str, until: int | None = None, after: int = 0
) -> AsyncIterator[Record]:
    """The records of the aggregate, oldest first; without `until`, all that are in the log at the first question."""
    reader = PageReader(after)
    while True:
        question = HistoryQuestion(kind, id, reader.after, until, reader.offset)
        page = page_in(await questions.ask("history", _encode(question)))
        for record in reader.take(page):
            yield record
        if page.is_last:
            return
        until = page.until


def _entries(commit: Commit) -> list[HistoryEntry]:
    record = commit.record
    at = iso(record.at_ns)
    if commit.fault:
        return [HistoryEntry(record.seq, at, commit.fault, {"reason": commit.reason}, record.by, commit.to)]
    told = (msgspec.to_builtins(event) for event in commit.events)
    return [HistoryEntry(record.seq, at, data.pop("type"), data, record.by, commit.to) for data in told]
