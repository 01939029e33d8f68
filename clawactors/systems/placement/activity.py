"""What happened lately: counts a second, waits and durations, of the last minutes. A fold that forgets.

1. Times are those of the log, so a process that catches up counts what happened then, not what it reads now.
2. Nothing is decided by it: it is for people, and gone when the process ends.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from clawactors.kernel.durations import DurationSketch, duration_class
from clawactors.systems.tasks import Task, TaskStatus
from clawactors.systems.tasks import events as e

__all__ = ["KEPT_S", "Activity", "Second"]

KEPT_S: Final = 300
"""How far back it knows anything."""

_ERRORS: Final = 32
_OTHERS: Final = "(others)"
_SECOND_NS: Final = 1_000_000_000


class Second(msgspec.Struct, gc=False):
    """One second of the log, or several added up. `failed` counts attempts; the other ends count tasks."""

    commits: int = 0
    submitted: int = 0
    started: int = 0
    completed: int = 0
    failed: int = 0
    dead: int = 0
    cancelled: int = 0
    errors: dict[str, int] = msgspec.field(default_factory=dict)
    wait: DurationSketch = msgspec.field(default_factory=DurationSketch)
    """From where a task could run to where a node was given it."""
    took: DurationSketch = msgspec.field(default_factory=DurationSketch)
    """Runs that completed."""

    def add(self, other: "Second") -> None:
        """Adds another one to this one."""
        self.commits += other.commits
        self.submitted += other.submitted
        self.started += other.started
        self.completed += other.completed
        self.failed += other.failed
        self.dead += other.dead
        self.cancelled += other.cancelled
        for kind, count in other.errors.items():
            self.fail(kind, count)
        self.wait.add_all(other.wait)
        self.took.add_all(other.took)

    def fail(self, kind: str, count: int) -> None:
        """So many attempts failed with errors of that class."""
        if kind not in self.errors and len(self.errors) >= _ERRORS:
            kind = _OTHERS
        self.errors[kind] = self.errors.get(kind, 0) + count


class Activity:
    """Seconds of the log, the newest `KEPT_S` of them."""

    def __init__(self) -> None:
        self._seconds: dict[int, Second] = {}
        self._now, self._current = -1, Second()
        self.since_ns = 0
        """From where on it has seen everything."""

    def apply(self, events: Sequence[object], at_ns: int, before: Task | None = None) -> None:
        """Counts a commit; `before` is its task before the commit."""
        second = at_ns // _SECOND_NS
        if second != self._now:
            self._turn(second)
        current = self._current
        current.commits += 1
        for event in events:
            kind = type(event)
            if kind is e.Started:
                current.started += 1
            elif kind is e.Submitted:
                current.submitted += 1
            elif type(event) is e.Scheduled:
                if not event.wakes:
                    ready_ns = at_ns if before is None else before.life.updated_ns
                    current.wait.add(duration_class(max(0, at_ns - ready_ns)))
            elif type(event) is e.AttemptFailed:
                current.failed += 1
                current.fail(event.error.kind or "unknown", 1)

    def ended(self, life: TaskStatus) -> None:
        """The task of the commit that was counted last has ended."""
        current = self._current
        match life.status:
            case "completed":
                current.completed += 1
                # A run so short that start and end are one commit counts from where a node was given it.
                begun_ns = (
                    life.started_ns if life.scheduled_ns <= life.started_ns < life.completed_ns else life.scheduled_ns
                )
                current.took.add(duration_class(max(0, life.completed_ns - begun_ns)))
            case "dead":
                current.dead += 1
            case "cancelled":
                current.cancelled += 1
            case _:
                pass

    def _turn(self, second: int) -> None:
        """Another second; the log's clock may step back."""
        newest = max(self._seconds, default=second)
        self._now = second
        if second <= newest - KEPT_S:
            self._current = Second()  # nobody will ask for it
            return
        self._current = self._seconds.setdefault(second, Second())
        if second > newest:
            for old in [each for each in self._seconds if each <= second - KEPT_S]:
                del self._seconds[old]

    def between(self, first: int, last: int) -> Iterator[Second]:
        """Each second from the first to the last, also those in which nothing happened."""
        nothing = Second()
        for second in range(first, last + 1):
            yield self._seconds.get(second, nothing)

    def total(self, first: int, last: int) -> Second:
        """All of them added up."""
        total = Second()
        for second in self.between(first, last):
            total.add(second)
        return total
