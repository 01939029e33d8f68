"""The tasks view: every task as `TASK.evolve` leaves it, listed by what people ask for.

1. A commit costs the same whatever the length of its task's history; a task touched in a batch is written once.
2. Rows depend on the commits alone, not on batches: what came and went within one batch leaves no trace.
"""

from collections import OrderedDict
from typing import Final

import msgspec

from clawactors.tasks import FINAL, TASK, Task
from clawactors.tasks import events as e
from eventlog.decoding import Commit
from projections import tasktable as t
from projections.faults import Faults
from projections.keys import place
from projections.store import Writing
from projections.tally import Tally
from projections.taskrows import BUSY, FAILED, SUCCEEDED, TaskRows
from projections.ticks import TICKS, Ticks

__all__ = ["CACHE_BYTES", "Tasks"]

CACHE_BYTES: Final = 64 << 20
"""Encoded size of the decoded tasks that are kept; in memory they take several times as much."""

_HELD_BYTES: Final = 1000
_NOBODY: Final = Task()
_Completed, _AttemptFailed = e.Completed, e.AttemptFailed


class _Held(msgspec.Struct, gc=False):
    """A task in memory: as it is now, and as it was last written."""

    key: bytes
    task: Task
    written: Task | None
    size_bytes: int
    frozen: bool = False
    version: int = 0


class Tasks:
    """See the module. `work` gets what nodes did, `faults` what could not be folded."""

    name = "tasks"
    kind = "task"
    tables = (t.IDS, t.SPECS, t.LIVES, t.STEPS, t.INDEX, t.QUEUE, t.COUNTS, t.SKILLS, TICKS)

    def __init__(self, work: Tally, faults: Faults, cache_bytes: int = CACHE_BYTES) -> None:
        self._work, self._faults = work, faults
        self._skills, self._counts, self._ticks = Tally(t.SKILLS, 4), Tally(t.COUNTS, 1), Ticks()
        self._cache: OrderedDict[str, _Held] = OrderedDict()
        self.cache_bytes, self.cached_bytes = cache_bytes, 0
        self._touched: dict[str, _Held] = {}
        self._ends: dict[tuple[str, str, int], list[int]] = {}  # node, skill, how → runs, ns busy

    @property
    def cached(self) -> int:
        """How many decoded tasks are kept."""
        return len(self._cache)

    def fold(self, commit: Commit, txn: Writing) -> None:
        """See `View`."""
        id, record = commit.id, commit.record
        held = self._cache.get(id) or self._load(id, txn)
        if commit.fault:
            if commit.fault == "future":
                self._faults.freeze(commit, txn)
                if held is not None:
                    held.frozen = True
        elif held is None:
            if self._faults.is_frozen("task", id, txn):
                return
            task = self._folded(_NOBODY, commit)
            if task is _NOBODY:
                return
            held = self._cache[id] = _Held(place(record.seq), task, None, _HELD_BYTES)
            self.cached_bytes += _HELD_BYTES
            self._ticks.tick(record.at_ns, held.key, txn)
        elif not held.frozen:
            held.task = self._folded(held.task, commit)
        if held is not None:
            held.version = record.seq
            size_bytes = len(record.body)
            held.size_bytes += size_bytes
            self.cached_bytes += size_bytes
            if id not in self._touched:
                self._touched[id] = held
                self._cache.move_to_end(id)

    def _folded(self, task: Task, commit: Commit) -> Task:
        at_ns, evolve = commit.record.at_ns, TASK.evolve
        for event in commit.events:
            after = evolve(task, event, at_ns)
            if after is task:
                self._faults.note(commit, "illegal", f"{type(event).__name__} while {task.life.status}")
                continue
            kind = type(event)
            if kind is _Completed or kind is _AttemptFailed:
                self._ended(task, at_ns, SUCCEEDED if kind is _Completed else FAILED)
            task = after
        return task

    def _ended(self, task: Task, at_ns: int, how: int) -> None:
        """A run of the task ended by itself; its time counts from its start, of a repeated one from its schedule."""
        life = task.life
        ended = (life.node, task.spec.skill if task.spec else "", how)
        sums = self._ends.get(ended)
        if sums is None:
            sums = self._ends[ended] = [0, 0]
        sums[0] += 1
        sums[1] += max(0, at_ns - max(life.started_ns, life.scheduled_ns))

    def _load(self, id: str, txn: Writing) -> _Held | None:
        key = t.find(txn, id)
        if key is None:
            return None
        stored = t.load(txn, key)
        frozen = self._faults.is_frozen("task", id, txn)
        held = self._cache[id] = _Held(key, stored.task, stored.task, stored.size_bytes + _HELD_BYTES, frozen)
        self.cached_bytes += held.size_bytes
        return held

    def write(self, txn: Writing) -> None:
        """See `View`."""
        rows = TaskRows()
        for id, held in self._touched.items():
            rows.change(id, held.key, held.version, held.written, held.task)
            held.written = held.task
            if held.task.life.status in FINAL:  # hardly ever touched again
                self.cached_bytes -= self._cache.pop(id).size_bytes
        self._touched.clear()
        while self.cached_bytes > self.cache_bytes and self._cache:
            self.cached_bytes -= self._cache.popitem(last=False)[1].size_bytes
        rows.write(txn, self._counts, self._skills, self._work)
        for (node, skill, how), (runs, busy_ns) in self._ends.items():
            for tally, word in ((self._work, node), (self._skills, skill)):
                tally.add(word, how, runs)
                tally.add(word, BUSY, busy_ns)
        self._ends.clear()
        self._ticks.write(txn)
        self._counts.write(txn)
        self._skills.write(txn)

    def forget(self) -> None:
        """See `View`."""
        self._cache.clear()
        self._touched.clear()
        self._ends.clear()
        self.cached_bytes = 0
        self._ticks.forget()
        self._counts.forget()
        self._skills.forget()
