"""Sums over tasks: how many are in each status by node, user, skill and error class, and what skills and nodes did.

Kept as tasks change, so that a statistic costs as much as it has rows, whatever the number of tasks.
"""

from collections.abc import Iterator
from typing import Any, Final

from clawactors.projections.engine.keys import term
from clawactors.projections.engine.store import Reading, Writing
from clawactors.projections.engine.tally import Tally, sums, sums_of
from clawactors.systems.nodes.row import NodeWork
from clawactors.systems.tasks import STATUSES
from clawactors.systems.tasks.events import Spec

__all__ = [
    "BUSY",
    "BY",
    "BY_ERROR",
    "BY_NODE",
    "BY_SKILL",
    "BY_USER",
    "COUNTS",
    "DURATIONS",
    "FAILED",
    "SKILLS",
    "SUCCEEDED",
    "WORK",
    "TaskSums",
    "counts_by",
    "percentiles_s",
    "skill_figures",
    "status_counts",
    "work_of",
]

COUNTS: Final = "task.counts"
"""dimension, value → how many tasks in each status."""
SKILLS: Final = "task.skills"
"""skill → runs that succeeded and failed, ns busy."""
WORK: Final = "node.work"
"""node → runs that succeeded and failed, ns busy, tasks scheduled and running there; the node may never have joined."""
DURATIONS: Final = "task.durations"
"""skill, class of duration → how many runs that succeeded took so long."""

SUCCEEDED, FAILED, BUSY, _SCHEDULED, _RUNNING = range(5)
"""The sums of a node; the first three are those of a skill too."""
_SKILL_WIDTH: Final = 3
_NODE_WIDTH: Final = 5
_AT_NODE: Final = {"scheduled": _SCHEDULED, "running": _RUNNING}

_ALL, BY_NODE, BY_USER, BY_SKILL, BY_ERROR = b"a", b"n", b"u", b"k", b"e"
BY: Final = {"node": BY_NODE, "user": BY_USER, "skill": BY_SKILL, "error": BY_ERROR}
"""The dimensions in which tasks are counted, by the name that questions use."""

_COLUMN: Final[dict[str, int]] = {status: column for column, status in enumerate(STATUSES)}
_UNIT_BITS: Final = 10  # durations are told apart from 1,024 ns on
_MANTISSA_BITS: Final = 3  # 8 classes an octave: 6 % off at most
_CLASS_BYTES: Final = 2
_COUNT_BYTES: Final = 8


class TaskSums:
    """The sums, as the tasks view adds to them."""

    def __init__(self) -> None:
        self._counts = {field: Tally(COUNTS, len(STATUSES), field) for field in (_ALL, *BY.values())}
        self._skills, self._work = Tally(SKILLS, _SKILL_WIDTH), Tally(WORK, _NODE_WIDTH)
        self._counted: dict[tuple[str, str, str, str, str], int] = {}
        """Status, node, error, skill, user → tasks."""
        self._ended: dict[tuple[str, str, bool, int], list[int]] = {}
        """Node, skill, whether it succeeded, class of duration → runs and ns that they took."""

    def count(self, status: str, node: str, error: str, spec: Spec, tasks: int) -> None:
        """So many tasks more, or fewer, are in that status; '' where they have no node or error."""
        key = (status, node, error, spec.skill, spec.user)
        self._counted[key] = self._counted.get(key, 0) + tasks

    def ended(self, node: str, skill: str, took_ns: int, *, succeeded: bool) -> None:
        """A run ended by itself."""
        run = (node, skill, succeeded, _duration_class(took_ns))
        ended = self._ended.get(run)
        if ended is None:
            self._ended[run] = [1, took_ns]
        else:
            ended[0] += 1
            ended[1] += took_ns

    def write(self, txn: Writing) -> None:
        """Puts the new sums."""
        for (status, node, error, skill, user), tasks in self._counted.items():
            column = _COLUMN[status]
            self._counts[_ALL].add("", column, tasks)
            for field, value in ((BY_SKILL, skill), (BY_USER, user), (BY_NODE, node), (BY_ERROR, error)):
                if value:
                    self._counts[field].add(value, column, tasks)
            if status in _AT_NODE:
                self._work.add(node, _AT_NODE[status], tasks)
        self._counted.clear()
        durations: dict[bytes, int] = {}
        for (node, skill, succeeded, duration), (runs, busy_ns) in self._ended.items():
            column = SUCCEEDED if succeeded else FAILED
            for tally, word in ((self._work, node), (self._skills, skill)):
                tally.add(word, column, runs)
                tally.add(word, BUSY, busy_ns)
            if succeeded:
                key = term(BY_SKILL, skill) + duration.to_bytes(_CLASS_BYTES, "big")
                durations[key] = durations.get(key, 0) + runs
        for key, runs in durations.items():
            total = runs + int.from_bytes(txn.get(DURATIONS, key) or b"", "big")
            txn.put(DURATIONS, key, total.to_bytes(_COUNT_BYTES, "big"))
        self._ended.clear()
        for tally in (*self._counts.values(), self._skills, self._work):
            tally.write(txn)

    def forget(self) -> None:
        """Drops what is not written."""
        self._counted.clear()
        self._ended.clear()
        for tally in (*self._counts.values(), self._skills, self._work):
            tally.forget()


def status_counts(reading: Reading) -> dict[str, int]:
    """How many tasks are in each status."""
    return dict(zip(STATUSES, sums_of(reading, COUNTS, "", len(STATUSES), _ALL), strict=True))


def counts_by(reading: Reading, field: bytes) -> Iterator[tuple[str, dict[str, int]]]:
    """Of each value in a dimension, how many tasks are in each status, in no useful order; zeros are left out."""
    for value, counts in sums(reading, COUNTS, field):
        yield value, {status: count for status, count in zip(STATUSES, counts, strict=True) if count}


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


def percentiles_s(reading: Reading, skill: str, shares: tuple[float, ...]) -> list[float]:
    """The durations that those shares of a skill's successful runs did not exceed, in s and 6 % off at most."""
    prefix, runs = term(BY_SKILL, skill), list[tuple[int, int]]()
    cursor = reading.cursor(DURATIONS)
    found = cursor.set_range(prefix)
    while found and cursor.key().startswith(prefix):
        runs.append((int.from_bytes(cursor.key()[len(prefix) :], "big"), int.from_bytes(cursor.value(), "big")))
        found = cursor.next()
    total, values = sum(count for _, count in runs), list[float]()
    for share in shares:
        left, value = share * total, 0.0
        for duration, count in runs:
            value, left = _middle_s(duration), left - count
            if left <= 0:
                break
        values.append(value)
    return values


def _duration_class(took_ns: int) -> int:
    """Whole numbers only, so that every machine gives a duration the same class."""
    units = took_ns >> _UNIT_BITS
    octave = units.bit_length() - 1 - _MANTISSA_BITS
    if octave <= 0:
        return units
    return (octave << _MANTISSA_BITS) + (units >> octave)


def _middle_s(duration: int) -> float:
    octave = max(0, (duration >> _MANTISSA_BITS) - 1)
    lowest = duration - (octave << _MANTISSA_BITS)
    if duration == 0:
        return 0.0
    return round(((lowest << octave) + (1 << octave) / 2) * (1 << _UNIT_BITS) / 1e9, 9)
