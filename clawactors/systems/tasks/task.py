"""The state of one task: what was asked (`spec`), what changes (`life`), which steps were done (`journal`)."""

from typing import Any, Literal

import msgspec

from clawactors.systems.tasks.approvalevents import Approval
from clawactors.systems.tasks.events import (
    DurableWait,
    Fence,
    Scheduled,
    Spec,
    TaskArchived,
    TaskError,
    UndoEnd,
    WaitReason,
)
from clawactors.systems.tasks.journal import EMPTY, Journal

__all__ = [
    "FINAL",
    "MAX_INTERRUPTIONS",
    "MAX_RETRIES",
    "OPEN",
    "RETRIABLE",
    "STATUSES",
    "Status",
    "Task",
    "TaskStatus",
    "Undoing",
    "assigned",
]

type Status = Literal[
    "pending",
    "waiting",
    "scheduled",
    "running",
    "paused",
    "blocked",
    "completed",
    "failed",
    "cancelled",
    "dead",
    "archived",
]

STATUSES: tuple[Status, ...] = Status.__value__.__args__
FINAL: frozenset[Status] = frozenset(("completed", "failed", "cancelled", "dead", "archived"))
OPEN: frozenset[Status] = frozenset(STATUSES) - FINAL
RETRIABLE: frozenset[Status] = frozenset(("blocked", "failed", "cancelled", "dead"))

MAX_RETRIES = 3
MAX_INTERRUPTIONS = 5


class Undoing(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The undo of a task's steps under way: how the task ends then, and which steps could not be undone."""

    then: UndoEnd
    error: TaskError | None = None
    failed: tuple[str, ...] = ()


class TaskStatus(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What changes as events come; small, so that a view can rewrite it on every commit. Times in ns since 1970.

    `avoid` is the node that it last failed on and had better not go back to; `forks` are tasks forked off it.
    `max_retries` is what the skill's policy allows, known from the first failure on.
    `undoable`: steps that are done and can be undone; `undo_on_failure` where its skill wants that.
    `losses`: how often the incarnation that has it had been lost before it got the task.
    `parked`: the node keeps a run of it in memory, which rests until it is started again; `limited`: what wakes it
    waits for a place under the limit of its skill; `wakes`: how many of its attempts went on in place, or belong to
    earlier runs.
    `run`: how often its code was begun with parameters of its own, see `continuing`; `submitted_params`: a digest of
    the first ones, where there were others since. `lost`: the last attempt that was lost with its node.
    `waited`: signals that the code has waited for since its last completed step.
    `recalled` are the memories that its code was answered with, by id. `archived` says where its history has moved to.
    """

    status: Status = "pending"
    waiting_for: WaitReason | None = None
    until_ns: int = 0
    waiting_name: str = ""
    node: str = ""
    incarnation: str = ""
    attempt: int = 0
    failures: int = 0
    interruptions: int = 0
    resumes_to: Status = "pending"
    cancel_requested: bool = False
    blocked_reason: str = ""
    result: Any = None
    error: TaskError | None = None
    progress: float = 0.0
    steps_completed: int = 0
    avoid: str = ""
    forks: tuple[str, ...] = ()
    losses: int = 0
    max_retries: int | None = None
    approvals: tuple[Approval, ...] = ()
    undoable: int = 0
    undo_on_failure: bool = False
    undo_requested: bool = False
    undo: Undoing | None = None
    submitted_ns: int = 0
    scheduled_ns: int = 0
    started_ns: int = 0
    completed_ns: int = 0
    updated_ns: int = 0
    waits: tuple[DurableWait, ...] = ()
    parked: bool = False
    limited: bool = False
    wakes: int = 0
    cancel_now: bool = False
    run: int = 1
    submitted_params: str = ""
    lost: int = 0
    waited: tuple[str, ...] = ()
    recalled: tuple[str, ...] = ()
    archived: TaskArchived | None = None

    @property
    def open_waits(self) -> tuple[DurableWait, ...]:
        """All that it waits for."""
        if self.waits or self.waiting_for is None:
            return self.waits
        return (DurableWait(self.waiting_for, self.until_ns, self.waiting_name),)

    @property
    def tries(self) -> int:
        """How often its code was begun from its first line."""
        return self.attempt - self.wakes

    @property
    def blocked_by_others(self) -> bool:
        """True while it is blocked because of a predecessor."""
        return self.status == "blocked" and self.waiting_for == "dependency"


class Task(msgspec.Struct, frozen=True, gc=False):
    """One task; `spec` None before anybody has asked for it."""

    spec: Spec | None = None
    life: TaskStatus = TaskStatus()
    journal: Journal = EMPTY

    @property
    def exists(self) -> bool:
        """True once it was submitted."""
        return self.spec is not None

    @property
    def fence(self) -> Fence:
        """The run that may speak for it now."""
        return Fence(self.life.node, self.life.incarnation, self.life.attempt)

    @property
    def records_steps(self) -> bool:
        """True while a step can be completed: in a run, or after the pause that came while the step ran."""
        life = self.life
        return life.status == "running" or (life.status == "paused" and life.node != "")

    @property
    def max_retries(self) -> int:
        """User retries it has in all."""
        if self.spec is not None and self.spec.max_retries is not None:
            return self.spec.max_retries
        return MAX_RETRIES if self.life.max_retries is None else self.life.max_retries


def assigned(event: Scheduled, at_ns: int, spec: Spec | None = None) -> Task:
    """The part of a task that its node needs, from the one commit that gave it away: nothing else has to be read.

    `spec` is what was submitted in that same commit.
    """
    return Task(
        spec=spec
        or Spec(
            skill=event.skill,
            params=event.params,
            timeout_s=event.timeout_s,
            max_retries=event.max_retries,
            user=event.user,
        ),
        life=TaskStatus(
            status="scheduled",
            node=event.node,
            incarnation=event.incarnation,
            losses=event.losses,
            attempt=event.attempt,
            failures=event.failures,
            interruptions=event.interruptions,
            scheduled_ns=at_ns,
            updated_ns=at_ns,
        ),
    )
