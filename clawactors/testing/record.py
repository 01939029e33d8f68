"""The record of a task, read from its history: its state before it ended, and what its code has to use again."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from clawactors.eventlog import FromTheFuture, Malformed
from clawactors.kernel.time import time_ns
from clawactors.runtime.client.history import HistoryEntry
from clawactors.runtime.node.sleep import SLEEP
from clawactors.systems.tasks import FINAL, TASK, Journal, Task
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.journal import PATCHED, RECOVERY

__all__ = ["History", "TaskRecord", "recorded"]

type History = Sequence[HistoryEntry | Mapping[str, Any]] | str | bytes | Path
"""`client.history(id)`, or what `claw task ID --history --json` prints: as text, as a file, or decoded."""

_BESIDE: Final = frozenset(("seq", "at", "to"))
"""Fields of a row that are not the event's; `by` is one of some events as well."""

_MARKS: Final = (SLEEP, PATCHED, RECOVERY)
"""What the names of entries begin with that no step of the code has."""

_NEEDED: Final = "give all of `client.history(id)`, or of `claw task ID --history --json`"


class TaskRecord(msgspec.Struct, frozen=True):
    """The `task` just before its run ended at `at_ns`, with the names of its completed `steps` and of its `sleeps`."""

    task: Task
    at_ns: int
    completed: bool
    steps: tuple[str, ...]
    sleeps: tuple[str, ...]


def recorded(history: History, run: int | None = None) -> TaskRecord:
    """The record of that run of the task, by default of its last one. Raises: `ValueError` for what is none."""
    task, before_end, at_ns, cancelled_at, is_over = TASK.initial, TASK.initial, 0, -1, False
    for event_at_ns, event in _events(history):
        at_ns = event_at_ns
        if isinstance(event, e.CancelRequested):  # its code is replayed up to there
            cancelled_at = len(task.journal)
            continue
        if isinstance(event, e.Continued) and run == task.life.run:
            is_over = True
            break
        task = TASK.evolve(task, event, event_at_ns)
        if isinstance(event, e.Continued):
            cancelled_at = -1
        if task.life.status not in FINAL:
            before_end = task
    if run is not None and run != task.life.run:
        raise ValueError(f"the history has {task.life.run} runs, so there is no run {run!r} to replay")
    journal = before_end.journal if cancelled_at < 0 else Journal(list(before_end.journal)[:cancelled_at])
    steps = journal.steps()
    sleeps = tuple(entry.name for entry in steps if entry.name.startswith(SLEEP) and "#" not in entry.name)
    is_over = is_over or task.life.status == "completed"
    return TaskRecord(before_end, at_ns, is_over, tuple(_to_be_used(journal)), sleeps)


def _to_be_used(journal: Journal) -> Iterable[str]:
    """The steps that are done, but for those after a failure in the same attempt, which may have cleaned up."""
    done = {entry.name for entry in journal.steps() if entry.status == "completed"}
    failed_in = 0
    for entry in journal:
        if entry.status == "failed":
            failed_in = entry.attempt
        elif entry.name in done and not entry.name.startswith(_MARKS) and entry.attempt != failed_in:
            yield entry.name


def _events(history: History) -> Iterable[tuple[int, e.TaskEvent]]:
    """Each event that this release knows, with its time."""
    decoded: Any = _decoded(history)  # anything may be given
    rows = [_row(each) for each in decoded] if isinstance(decoded, Iterable) else []
    if not rows or rows[0]["type"] != "task.submitted":
        raise ValueError(f"the history of a task begins with task.submitted: {_NEEDED}")
    for row in rows:
        plain = {name: value for name, value in row.items() if name not in _BESIDE}
        try:
            [event] = e.CODEC.decode(msgspec.json.encode({"v": 1, "events": [plain]}))
        except Malformed:  # a record that is no commit
            continue
        except FromTheFuture as error:
            raise ValueError(f"entry {row['seq']} of the history is of a later release: {error}") from None
        yield time_ns(row["at"]), event


def _row(entry: Any) -> dict[str, Any]:
    if isinstance(entry, HistoryEntry):
        return {"seq": entry.seq, "at": entry.at, "type": entry.type} | entry.data
    if isinstance(entry, Mapping) and {"seq", "at", "type"} <= entry.keys():
        return dict(entry)
    raise ValueError(f"an entry of a history has seq, at and type, unlike {repr(entry)[:60]}: {_NEEDED}")


def _decoded(history: History) -> Iterable[Any]:
    if isinstance(history, Path):
        history = history.read_bytes()
    if not isinstance(history, str | bytes):
        return history
    try:
        return msgspec.json.decode(history, type=list[dict[str, Any]])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"that is no history ({error}): {_NEEDED}") from None
