"""Sums over tasks: how many are in each status in every dimension, and what skills and nodes did.

Kept as tasks change, so that a statistic costs as much as it has rows, whatever the number of tasks.
"""

from collections.abc import Iterator
from typing import Any, Final

from clawactors.kernel.durations import duration_class
from clawactors.projections.engine.index import PrefixWalk
from clawactors.projections.engine.store import Reading, Writing
from clawactors.projections.engine.tally import Tally, sums, sums_of
from clawactors.projections.views.tasks.dimensions import (
    ALL,
    BY,
    BY_ERROR,
    BY_HOUR,
    BY_NODE,
    BY_SKILL,
    BY_STATUS,
    BY_TAG,
    BY_USER,
    HOUR_BYTES,
    hour_of,
    value_key,
)
from clawactors.projections.views.tasks.durations import DurationCounts
from clawactors.systems.nodes.row import NodeWork
from clawactors.systems.tasks import FINAL, STATUSES, Task
from clawactors.systems.tasks.events import Spec

__all__ = [
    "BUSY",
    "COUNTS",
    "FAILED",
    "SKILLS",
    "SUCCEEDED",
    "WORK",
    "TaskSums",
    "counts_by",
    "counts_by_hour",
    "skill_figures",
    "status_counts",
    "statuses_of",
    "work_of",
]

COUNTS: Final = "task.counts"
"""dimension, value → how many tasks in each status."""
SKILLS: Final = "task.skills"
"""skill → runs that succeeded and failed, ns busy."""
WORK: Final = "node.work"
"""node → runs that succeeded and failed, ns busy, tasks scheduled and running there; the node may never have joined."""

SUCCEEDED, FAILED, BUSY, _SCHEDULED, _RUNNING = range(5)
"""The sums of a node; the first three are those of a skill too."""
_SKILL_WIDTH: Final = 3
_NODE_WIDTH: Final = 5
_AT_NODE: Final = {"scheduled": _SCHEDULED, "running": _RUNNING}

_NOBODY: Final = Spec(skill="")
_COLUMN: Final[dict[str, int]] = {status: column for column, status in enumerate(STATUSES)}


class TaskSums:
    """The sums, as the tasks view adds to them."""

    def __init__(self) -> None:
        self._counts = {field: Tally(COUNTS, len(STATUSES), field, value_key) for field in (ALL, *BY.values())}
        self._skills, self._work = Tally(SKILLS, _SKILL_WIDTH), Tally(WORK, _NODE_WIDTH)
        self._durations = DurationCounts()
        self._counted: dict[tuple[str, str, str, str, str, str, tuple[str, ...]], int] = {}
        """Status, node, error, hour, skill, user, tags → tasks."""
        self._ended: dict[tuple[str, str, str, str, str, int], list[int]] = {}
        """Node, skill, hour, status, error, class of duration → runs and ns that they took."""

    def count(self, status: str, node: str, error: str, hour: str, spec: Spec, tasks: int) -> None:
        """So many tasks more, or fewer, are in that status; '' where they have no node or error."""
        key = (status, node, error, hour, spec.skill, spec.user, spec.tags)
        self._counted[key] = self._counted.get(key, 0) + tasks

    def ended(self, task: Task, status: str, error: str, took_ns: int) -> None:
        """A run of the task ended by itself, by an error of that class or '' for none; its status is that one then."""
        life, spec = task.life, task.spec or _NOBODY
        duration = duration_class(took_ns)
        run = life.node, spec.skill, hour_of(life.submitted_ns), status, error, duration
        ended = self._ended.get(run)
        if ended is None:
            self._ended[run] = [1, took_ns]
        else:
            ended[0] += 1
            ended[1] += took_ns
        if error:
            return
        for tag in set(spec.tags):
            self._durations.add(BY_TAG, tag, duration, 1)
        if spec.user:
            self._durations.add(BY_USER, spec.user, duration, 1)

    def write(self, txn: Writing) -> None:
        """Puts the new sums."""
        for (status, node, error, hour, skill, user, tags), tasks in self._counted.items():
            column = _COLUMN[status]
            self._counts[ALL].add("", column, tasks)
            for tag in set(tags):
                self._counts[BY_TAG].add(tag, column, tasks)
            values = (BY_SKILL, skill), (BY_USER, user), (BY_NODE, node), (BY_ERROR, error), (BY_HOUR, hour)
            for field, value in values:
                if value:
                    self._counts[field].add(value, column, tasks)
            if status in _AT_NODE:
                self._work.add(node, _AT_NODE[status], tasks)
        self._counted.clear()
        for (node, skill, hour, status, error, duration), (runs, busy_ns) in self._ended.items():
            column = FAILED if error else SUCCEEDED
            for tally, word in ((self._work, node), (self._skills, skill)):
                tally.add(word, column, runs)
                tally.add(word, BUSY, busy_ns)
            # Failed runs count by their error, and by status those that ended their task.
            told = [(BY_ERROR, error)] if error else [(ALL, ""), (BY_SKILL, skill), (BY_NODE, node), (BY_HOUR, hour)]
            if status in FINAL:
                told.append((BY_STATUS, status))
            for field, value in told:
                self._durations.add(field, value, duration, runs)
        self._ended.clear()
        for tally in (*self._counts.values(), self._skills, self._work):
            tally.write(txn)
        self._durations.write(txn)

    def forget(self) -> None:
        """Drops what is not written."""
        self._counted.clear()
        self._ended.clear()
        for tally in (*self._counts.values(), self._skills, self._work):
            tally.forget()
        self._durations.forget()


def status_counts(reading: Reading) -> dict[str, int]:
    """How many tasks are in each status."""
    return statuses_of(reading, ALL, "")


def statuses_of(reading: Reading, field: bytes, value: str) -> dict[str, int]:
    """How many tasks with that value in a dimension are in each status."""
    return dict(zip(STATUSES, sums_of(reading, COUNTS, value, len(STATUSES), field), strict=True))


def counts_by(reading: Reading, field: bytes) -> Iterator[tuple[str, dict[str, int]]]:
    """Of each value in a dimension, how many tasks are in each status, in the order of keys; zeros are left out."""
    for value, counts in sums(reading, COUNTS, field):
        yield value, _by_status(counts)


def counts_by_hour(reading: Reading, first: int, last: int) -> Iterator[tuple[str, dict[str, int]]]:
    """The same of hours since 1970, from the last one down to the first."""
    walk = PrefixWalk(reading, COUNTS, BY_HOUR)
    while last >= first and (found := walk.at_most(last.to_bytes(HOUR_BYTES, "big"))) is not None:
        if (hour := int.from_bytes(found, "big")) < first:
            return
        for value, counts in sums(reading, COUNTS, BY_HOUR + found):
            yield value, _by_status(counts)
            break
        last = hour - 1


def _by_status(counts: list[int]) -> dict[str, int]:
    return {status: count for status, count in zip(STATUSES, counts, strict=True) if count}


def skill_figures(reading: Reading, skill: str) -> dict[str, Any]:
    """Tasks submitted to a skill, runs that ended by themselves and their mean time."""
    succeeded, failed, busy_ns = sums_of(reading, SKILLS, skill, _SKILL_WIDTH)
    ended = succeeded + failed
    return {
        "submitted": sum(sums_of(reading, COUNTS, skill, len(STATUSES), BY_SKILL)),
        "succeeded": succeeded,
        "failed": failed,
        "mean_s": round(busy_ns / ended / 1e9, 6) if ended else 0.0,
    }


def work_of(reading: Reading, node: str) -> NodeWork:
    """What a node did so far."""
    work = sums_of(reading, WORK, node, _NODE_WIDTH)
    return NodeWork(work[_SCHEDULED], work[_RUNNING], work[SUCCEEDED], work[FAILED], work[BUSY])
