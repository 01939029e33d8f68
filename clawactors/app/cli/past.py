"""One task as its log tells it: now, at an earlier place, or commit by commit."""

from typing import Any

import msgspec

from clawactors.app.client import Client
from clawactors.eventlog import aggregate_pattern
from clawactors.eventlog.decoding import Commit
from clawactors.kernel.errors import NotFound
from clawactors.kernel.fold import Snapshot, fold
from clawactors.kernel.time import iso
from clawactors.kinds import DECODER
from clawactors.systems.tasks import TASK, Task
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.row import row
from clawactors.systems.tasks.submission import checked_id

__all__ = ["Past", "Place", "read_past", "task_row"]

type Place = tuple[str, int]
"""`("seq", n)` or `("time", ns)`."""


class Past(msgspec.Struct, frozen=True):
    """A task up to a place of the log, and the commits that made it what it was there."""

    id: str
    folded: Snapshot[Task]
    commits: list[Commit]

    @property
    def row(self) -> dict[str, Any]:
        """The row at that place."""
        return task_row(self.id, self.folded)

    @property
    def history(self) -> list[dict[str, Any]]:
        """One entry an event; a record that is none says why."""
        return [entry for commit in self.commits for entry in _entries(commit)]

    def last(self, *kinds: type) -> tuple[Any, Commit] | None:
        """The newest event of these kinds and its commit."""
        found = ((event, commit) for commit in reversed(self.commits) for event in reversed(commit.events))
        return next((pair for pair in found if isinstance(pair[0], kinds)), None)


async def read_past(client: Client, id: str, place: Place | None = None) -> Past:
    """Reads the task from its log. Raises: `NotFound`, `Refused` (no id at all)."""
    unit, most = place or ("seq", 0)
    head = await client.log.head()
    until = min(most, head.last_seq) if place and unit == "seq" else head.last_seq
    folded: Snapshot[Task] = Snapshot(TASK.initial)
    commits: list[Commit] = []
    async for batch in client.log.read([aggregate_pattern("task", checked_id(id))], until=until):
        for record in batch:
            if unit == "seq" or record.at_ns <= most:
                folded = fold(TASKS, folded, record)
                commits.append(DECODER.decode(record))
    if not folded.state.exists and not folded.frozen:
        raise NotFound(f"there was no task {id!r} then" if place else f"there is no task {id!r}")
    return Past(id, folded, commits)


def task_row(id: str, folded: Snapshot[Task]) -> dict[str, Any]:
    """The row; `needs_upgrade` only where a later release has written to the task."""
    made = row(id, folded.version, folded.state)
    return made | {"needs_upgrade": folded.frozen} if folded.frozen else made


def _entries(commit: Commit) -> list[dict[str, Any]]:
    record = commit.record
    about: dict[str, Any] = {"seq": record.seq, "at": iso(record.at_ns)}
    beside = {name: value for name, value in (("by", record.by), ("to", commit.to)) if value}
    if commit.fault:
        return [about | {"type": commit.fault, "reason": commit.reason} | beside]
    # An event's own `by` says more than the commit's.
    return [about | _told(event, beside) for event in commit.events]


def _told(event: Any, beside: dict[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(event)
    return told | {name: value for name, value in beside.items() if name not in told}
