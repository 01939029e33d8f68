"""What changed in a task between two moments of the log: its fields before and after, and the events between."""

from typing import Any, Final

import msgspec

from clawactors.eventlog.decoding import Commit
from clawactors.kernel.errors import InvalidQuery
from clawactors.kernel.fold import Snapshot, fold
from clawactors.kernel.time import iso
from clawactors.runtime.client.history import HistoryEntry, Place, TaskHistory
from clawactors.systems.tasks import TASK, Task
from clawactors.systems.tasks.kind import TASKS

__all__ = ["FieldChange", "TaskDifference", "TaskEdge", "checked_order", "difference"]

_BEYOND: Final = frozenset(("id", "version"))
"""Fields that say which task, and how often it changed."""


class FieldChange(msgspec.Struct, frozen=True):
    """A field of the task's row before and after, as JSON; None where there was no task yet."""

    before: Any
    after: Any


class TaskEdge(msgspec.Struct, frozen=True):
    """The task's version at one end, 0 before its first event, and the time of that version."""

    version: int
    at: str | None


class TaskDifference(msgspec.Struct, frozen=True):
    """See the module; `changed` by the name of the field, as in `TaskRow`."""

    id: str
    begin: TaskEdge
    end: TaskEdge
    changed: dict[str, FieldChange]
    events: tuple[HistoryEntry, ...]

    @property
    def row(self) -> dict[str, Any]:
        """As `claw diff --json` prints it."""
        return {
            "id": self.id,
            "from": self.begin,
            "to": self.end,
            "changed": self.changed,
            "events": [entry.row for entry in self.events],
        }


def difference(history: TaskHistory, begin: Place) -> TaskDifference:
    """From that place to the end of the history."""
    unit, most = begin
    known: Snapshot[Task] = Snapshot(TASK.initial)
    until: list[Commit] = []
    between: list[Commit] = []
    first_at_ns = last_at_ns = 0
    for commit in history.commits:
        record = commit.record
        if (record.seq if unit == "seq" else record.at_ns) <= most and not between:
            known, first_at_ns = fold(TASKS, known, record), record.at_ns
            until.append(commit)
        else:
            between.append(commit)
        last_at_ns = record.at_ns
    before = _fields(TaskHistory(history.id, known, until)) if known.state.exists else {}
    after = _fields(history)
    return TaskDifference(
        history.id,
        TaskEdge(known.version, iso(first_at_ns)),
        TaskEdge(history.known.version, iso(last_at_ns)),
        {
            name: FieldChange(before.get(name), value)
            for name, value in after.items()
            if before.get(name) != value and name not in _BEYOND
        },
        tuple(msgspec.structs.replace(history, commits=between).entries),
    )


def checked_order(begin: Place, end: Place | None) -> None:
    """Raises: `InvalidQuery` where the end comes first."""
    if end is not None and begin[0] == end[0] and begin[1] > end[1]:
        raise InvalidQuery("the end comes before the beginning: exchange them")


def _fields(history: TaskHistory) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(history.row)
    return fields
