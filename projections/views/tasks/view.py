"""The tasks view: every task as its kind folds it, listed by what people ask for.

1. A commit costs the same whatever the length of its task's history; a task touched in a batch is written once.
2. Rows depend on the commits alone, not on batches: a state that one batch enters and leaves is not written.
"""

from collections import OrderedDict
from typing import Final

import msgspec

from clawactors.eventlog.decoding import Commit
from clawactors.kernel.kind import Kinds
from clawactors.projections.engine.answers import ANSWERED, AnswerTable, answers_of
from clawactors.projections.engine.faults import Faults
from clawactors.projections.engine.keys import place
from clawactors.projections.engine.store import Reading, Writing
from clawactors.projections.engine.view import StoredState
from clawactors.projections.views.tasks import table as t
from clawactors.projections.views.tasks.durations import DURATIONS
from clawactors.projections.views.tasks.rows import TaskRows
from clawactors.projections.views.tasks.sums import COUNTS, SKILLS, WORK, TaskSums
from clawactors.projections.views.tasks.times import TIMES, SubmissionTimeIndex
from clawactors.projections.views.tasks.words import WORDS
from clawactors.systems.tasks import FINAL, Task
from clawactors.systems.tasks import events as e

__all__ = ["CACHE_BYTES", "TasksView"]

CACHE_BYTES: Final = 64 << 20
"""Encoded size of the decoded tasks that are kept; in memory they take several times as much."""

_TASK_BYTES: Final = 1000
_NEW: Final = Task()
_Completed, _AttemptFailed, _Continued = e.Completed, e.AttemptFailed, e.Continued


class _CachedTask(msgspec.Struct, gc=False):
    """A task in memory: as it is now, and as it was last written; without a key until it is submitted."""

    key: bytes = b""
    task: Task = _NEW
    written: Task | None = None
    size_bytes: int = _TASK_BYTES
    frozen: bool = False
    version: int = 0


class TasksView:
    """See the module. `faults` gets what could not be folded."""

    name = "tasks"
    kind = "task"
    tables = (
        t.IDS,
        t.SPECS,
        t.STATUSES,
        t.STEPS,
        t.INDEX,
        t.QUEUE,
        t.ARCHIVED,
        t.ARCHIVES,
        t.ANSWERS,
        WORDS,
        COUNTS,
        SKILLS,
        WORK,
        DURATIONS,
        TIMES,
    )

    def __init__(self, kinds: Kinds, faults: Faults, cache_bytes: int = CACHE_BYTES) -> None:
        self._kind, self._faults = kinds[self.kind], faults
        self._evolve = self._kind.decider.evolve
        self._sums, self._times = TaskSums(), SubmissionTimeIndex()
        self._answers = AnswerTable(t.ANSWERS)
        self._cache: OrderedDict[str, _CachedTask] = OrderedDict()  # left by earlier batches, the oldest first
        self.cache_bytes, self.cached_bytes = cache_bytes, 0
        self._touched: dict[str, _CachedTask] = {}  # of this batch, in no cache meanwhile
        self._rows = TaskRows(self._sums)

    @property
    def cached(self) -> int:
        """The number of decoded tasks in the cache."""
        return len(self._cache)

    def believes(self, id: str, writer: str, txn: Writing) -> bool:
        """See `View`."""
        return self._kind.believes(id, (self._touched.get(id) or self._touch(id, txn)).task, writer)

    def fold(self, commit: Commit, txn: Writing) -> None:
        """See `View`."""
        record = commit.record
        held = self._touched.get(commit.id) or self._touch(commit.id, txn)
        if commit.fault == "future":
            self._faults.freeze(commit, txn)
            held.frozen = True
        elif not held.frozen:
            task, evolve = held.task, self._evolve
            before = task
            for event in commit.events:
                after = evolve(task, event, record.at_ns)
                if after is task:
                    self._faults.note(commit, "illegal", f"{type(event).__name__} while {task.life.status}")
                    continue
                kind = type(event)
                if kind is _Completed or kind is _AttemptFailed:
                    self._run_ended(task, after, record.at_ns, succeeded=kind is _Completed)
                elif kind is _Continued:
                    held.size_bytes = _TASK_BYTES
                task = after
            held.task = task
            if before is _NEW and task is not _NEW:
                moved = task.life.archived
                held.key = place(record.seq if moved is None else moved.first)
                if moved is None:
                    self._times.note(record.at_ns, held.key)
                self._faults.note_created(commit, txn)
            if task.life.archived is not None:
                if before.life.archived is None:
                    self._answers.drop(held.key, txn)
            elif ANSWERED in record.headers and held.key and not commit.fault:
                self._answers.note(held.key, record, txn, is_new=before is _NEW)
        if not held.key:
            self._faults.note_uncreated(commit, txn)
        held.version = record.seq
        held.size_bytes += len(record.body)

    def _run_ended(self, before: Task, after: Task, at_ns: int, *, succeeded: bool) -> None:
        """A run of the task ended by itself; its time counts from its start, of a repeated one from its schedule."""
        life, error = before.life, after.life.error
        took_ns = max(0, at_ns - max(life.started_ns, life.scheduled_ns))
        kind = "" if succeeded else (error.kind if error else "") or "unknown"
        self._sums.ended(before, after.life.status, kind, took_ns)

    def _touch(self, id: str, txn: Writing) -> _CachedTask:
        """The task from memory or from the store, or one that is not submitted yet."""
        held = self._cache.pop(id, None)
        if held is not None:
            self.cached_bytes -= held.size_bytes
        else:
            held = _CachedTask(frozen=self._faults.is_frozen("task", id, txn))
            if (key := t.find(txn, id)) is not None:
                stored = t.load(txn, key)
                held.key, held.task, held.written = key, stored.task, stored.task
                held.size_bytes += stored.size_bytes
        self._touched[id] = held
        return held

    def settle(self, id: str) -> None:
        """See `SettlingView`."""
        if (held := self._touched.pop(id, None)) is not None:
            self._settle(id, held)

    def _settle(self, id: str, held: _CachedTask) -> None:
        task = held.task
        if task is _NEW:
            return
        self._rows.change(id, held.key, held.version, held.written, task)
        if task.life.status not in FINAL:  # those are hardly ever touched again
            held.written = task
            self._cache[id] = held
            self.cached_bytes += held.size_bytes

    def write(self, txn: Writing) -> None:
        """See `View`."""
        for id, held in self._touched.items():
            self._settle(id, held)
        self._touched.clear()
        while self.cached_bytes > self.cache_bytes and self._cache:
            self.cached_bytes -= self._cache.popitem(last=False)[1].size_bytes
        self._rows.write(txn)
        self._sums.write(txn)
        self._answers.write(txn)
        self._times.write(txn)

    def load(self, reading: Reading, id: str, *, brief: bool = False) -> StoredState | None:
        """See `SnapshotView`."""
        if (key := t.find(reading, id)) is None:
            return None
        stored = t.load(reading, key, newest_entries=0 if brief else None)
        return StoredState(stored.task, stored.version, answers_of(reading, t.ANSWERS, key))

    def forget(self) -> None:
        """See `View`."""
        self._cache.clear()
        self._touched.clear()
        self.cached_bytes = 0
        self._rows = TaskRows(self._sums)
        self._sums.forget()
        self._answers.forget()
        self._times.forget()
