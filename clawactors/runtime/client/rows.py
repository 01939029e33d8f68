"""Typed rows that answer queries; their JSON is what `claw … --json` prints.

Names and meanings are promises (`docs/python-api.md`): extend freely, drop none. Times are ISO 8601 in UTC, or None.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType, field

from clawactors.kernel.fold import Snapshot
from clawactors.systems.tasks import Task
from clawactors.systems.tasks.row import row as task_fields

__all__ = [
    "ApprovalRow",
    "ErrorRow",
    "NodeRow",
    "Page",
    "ScheduleRow",
    "SkillRow",
    "StepRow",
    "TaskRow",
    "TaskTree",
    "TreeRow",
    "task_row",
]


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Page[Row](msgspec.Struct, frozen=True):
    """A page of a list; `cursor` is the start of the next page, None for the last one."""

    rows: tuple[Row, ...] = ()
    cursor: str | None = None

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Row:
        return self.rows[index]


class ErrorRow(_Row, frozen=True):
    """Why an attempt failed; `kind` is `class` in JSON. Lists leave the `traceback` out."""

    kind: str = field(name="class")
    message: str
    traceback: str | UnsetType = UNSET


class StepRow(_Row, frozen=True):
    """One step of a task: `running`, `interrupted` (its attempt was lost), `completed`, `failed`, `compensated`,
    `undo_failed`, in that attempt."""

    name: str
    status: str
    attempt: int = 0
    result: Any = None
    error: str | None = None
    started_at: str | None = None
    completed_at: str | None = None


class TaskRow(_Row, frozen=True):
    """A task. `progress` is in percent; `omitted` names what was too large for the answer of a list."""

    id: str
    name: str | None
    skill: str
    type: str | None
    status: str
    priority: int
    user: str | None
    params: dict[str, Any] | None
    requires: tuple[str, ...] | None
    prefers: tuple[str, ...] | None
    affinity: dict[str, str] | None
    tags: tuple[str, ...] | None
    description: str | None
    metadata: dict[str, Any] | None
    after: tuple[str, ...] | None
    timeout_s: float | None
    deadline: str | None
    max_retries: int
    on_dead: str
    not_before: str | None
    waiting_for: str | None
    waiting_until: str | None
    node: str | None
    attempt: int
    progress: float
    steps: tuple[StepRow, ...] | None
    result: Any
    error: ErrorRow | None
    submitted_at: str | None
    scheduled_at: str | None
    started_at: str | None
    completed_at: str | None
    updated_at: str | None
    fork_of: str | None
    forks: tuple[str, ...] | None
    version: int
    parent: str | None = None
    parked_on: str | None = None
    omitted: tuple[str, ...] | UnsetType = UNSET
    needs_upgrade: str | UnsetType = UNSET
    blocked_reason: str | UnsetType = UNSET
    """What a person has to mend, of a blocked task."""
    run: int = 1
    """More than 1 where its code has continued with other parameters."""
    cancel_requested: bool = False
    """Its code was told to stop and has not stopped yet."""
    archived_in: str | UnsetType = UNSET
    """The file of the archive that its history has moved to."""
    ended: str | UnsetType = UNSET
    """How an archived task had ended: `completed`, `failed`, `cancelled`, `dead` or `deleted`."""
    erased: bool = False
    """What was personal in it was erased."""


class TreeRow(_Row, frozen=True):
    """A task in a tree of parents and children; `level` is 0 for the task that was asked for."""

    id: str
    level: int
    parent: str | None
    skill: str
    name: str
    status: str
    progress: float
    error: str | None


class TaskTree(msgspec.Struct, frozen=True):
    """A task, its children and theirs, each before its own children; `more` says that there are others."""

    rows: tuple[TreeRow, ...]
    more: bool


class ApprovalRow(_Row, frozen=True):
    """What a task asks people for. `by` may answer it, anybody if empty; at `until`, `default` counts as the answer."""

    task: str
    name: str
    question: str
    by: tuple[str, ...]
    until: str | None
    default: str
    asked_at: str | None
    reminders: int
    skill: str
    user: str


class NodeRow(_Row, frozen=True):
    """A node. `cpu`, `memory` and `disk` are in percent, `mean_s` is the mean time of an attempt in seconds."""

    id: str
    hostname: str
    platform: str
    arch: str
    status: str
    skills: tuple[str, ...]
    slots: int
    running: int
    cpu: float | None
    memory: float | None
    disk: float | None
    ip: str
    overlay_ip: str
    port: int | None
    affinity: dict[str, str]
    incarnation: str
    processed: int
    succeeded: int
    failed: int
    mean_s: float
    registered_at: str | None
    last_heartbeat_at: str | None
    versions: dict[str, str]
    tags: tuple[str, ...]
    reason: str | None
    updated_at: str | None
    pid: int | None = None


class SkillRow(_Row, frozen=True):
    """A skill that nodes offer. `nodes` could be given work; `concurrency` is its limit, `errors` its rules.

    `recover` is the function that is asked after the loss of a node.
    """

    name: str
    description: str
    parameters: tuple[dict[str, Any], ...]
    open: bool
    versions: dict[str, tuple[str, ...]]
    concurrency: int | None
    nodes: tuple[str, ...]
    submitted: int
    succeeded: int
    failed: int
    mean_s: float
    errors: tuple[str, ...] = ()
    recover: str = ""


class ScheduleRow(_Row, frozen=True):
    """A schedule."""

    name: str
    status: str
    cron: str
    zone: str
    catch_up: str
    skill: str
    params: dict[str, Any]
    user: str
    priority: int
    tags: tuple[str, ...]
    next_at: str | None
    last_at: str | None
    last_task: str | None
    fired: int
    added_at: str | None
    updated_at: str | None
    version: int


def task_row(id: str, known: Snapshot[Task]) -> TaskRow:
    """The row of a task in that state; `needs_upgrade` only where a later release has written to it."""
    fields = task_fields(id, known.version, known.state)
    return msgspec.convert(fields | {"needs_upgrade": known.frozen} if known.frozen else fields, TaskRow)
