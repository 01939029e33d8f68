"""What happened to a task. Tags are promises: stored events decode for ever (see `clawactors.eventlog.codec`)."""

from typing import Any

import msgspec

from clawactors.eventlog import Codec
from clawactors.systems.tasks.approvalevents import ApprovalAnswered, ApprovalAsked, ApprovalWithdrawn
from clawactors.systems.tasks.changeevents import Deleted, Edited, Expired, Forked, ForkMade, TaskArchived
from clawactors.systems.tasks.runevents import Continued
from clawactors.systems.tasks.spec import (
    Count,
    DurableWait,
    Fence,
    OnDead,
    Outcome,
    Priority,
    Spec,
    TaskError,
    UndoEnd,
    WaitReason,
)
from clawactors.systems.tasks.stepevents import (
    InheritedStep,
    Recalled,
    StepCompensated,
    StepCompleted,
    StepFailed,
    StepStarted,
    StepUndoFailed,
)
from clawactors.systems.tasks.waitevents import Signalled, Unparked, Waiting

__all__ = [
    "CODEC",
    "ApprovalAnswered",
    "ApprovalAsked",
    "ApprovalWithdrawn",
    "AttemptFailed",
    "Blocked",
    "CancelRequested",
    "Cancelled",
    "Compensating",
    "Completed",
    "Continued",
    "Count",
    "Deleted",
    "DurableWait",
    "Edited",
    "Expired",
    "Fence",
    "ForkMade",
    "Forked",
    "InheritedStep",
    "Interrupted",
    "OnDead",
    "Outcome",
    "Paused",
    "Priority",
    "Readied",
    "Recalled",
    "Resumed",
    "Retried",
    "Returned",
    "Scheduled",
    "Signalled",
    "Spec",
    "Started",
    "StepCompensated",
    "StepCompleted",
    "StepFailed",
    "StepStarted",
    "StepUndoFailed",
    "Submitted",
    "TaskArchived",
    "TaskError",
    "TaskEvent",
    "Unblocked",
    "UndoEnd",
    "Unparked",
    "WaitReason",
    "Waiting",
]


class _TaskEvent(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    pass


class Submitted(Spec, frozen=True, omit_defaults=True, kw_only=True, tag="task.submitted"):
    """The task exists. It waits while it has predecessors (`after`) or a start time (`not_before_ns`)."""


class Readied(_TaskEvent, frozen=True, tag="task.ready"):
    """What it waited for came, or its code is to be in memory again."""


class Scheduled(_TaskEvent, frozen=True, kw_only=True, tag="task.scheduled"):
    """Given to one incarnation of a node, with all that the node needs to run it without reading anything.

    Where `steps` are completed already, it has to read them. `losses`: how often the incarnation was lost before.
    `wakes`: the node keeps the run in memory; it goes on in place, so the parameters are left out.
    `user` is the task's: what the node writes for it is sealed with their key.
    """

    node: str
    incarnation: str
    attempt: Count
    skill: str
    params: dict[str, Any] = {}
    timeout_s: float | None = None
    max_retries: Count | None = None
    failures: Count = 0
    interruptions: Count = 0
    steps: Count = 0
    losses: Count = 0
    wakes: bool = False
    user: str = ""


class Started(_TaskEvent, frozen=True, tag="task.started"):
    """Its code runs."""


class Returned(_TaskEvent, frozen=True, tag="task.returned"):
    """The node gave it back before starting it."""

    reason: str = ""


class Interrupted(_TaskEvent, frozen=True, tag="task.interrupted"):
    """Its node went away. `counted`: its code may have run and may be the cause; `dead`: it has happened too often."""

    reason: str
    counted: bool = True
    dead: bool = False


class AttemptFailed(_TaskEvent, frozen=True, kw_only=True, tag="task.attempt_failed"):
    """Its code raised; `then` says what follows, `retry_at_ns` when, `elsewhere` that another node is better.

    `max_retries` is what the skill's policy allows, where the task asks for nothing else.
    """

    error: TaskError
    then: Outcome
    retry_at_ns: Count = 0
    elsewhere: bool = False
    max_retries: Count | None = None


class Completed(_TaskEvent, frozen=True, tag="task.completed"):
    """Its code returned."""

    result: Any = None


class CancelRequested(_TaskEvent, frozen=True, tag="task.cancel_requested"):
    """Somebody wants it to end; running code is told, and has a time to clean up unless it has to end `now`.

    `undo`: what its steps have done is undone first.
    """

    by: str = ""
    undo: bool = False
    now: bool = False


class Cancelled(_TaskEvent, frozen=True, tag="task.cancelled"):
    """It ended because that was wanted."""


class Compensating(_TaskEvent, frozen=True, tag="task.compensating"):
    """From now on its code does not run: its done steps are undone, the last one first, and `then` it ends."""

    then: UndoEnd
    error: TaskError | None = None


class Paused(_TaskEvent, frozen=True, tag="task.paused"):
    """Held by a person; an attempt that ran ends at its next step."""

    by: str = ""


class Resumed(_TaskEvent, frozen=True, tag="task.resumed"):
    """It was resumed."""


class Blocked(_TaskEvent, frozen=True, tag="task.blocked"):
    """It needs a person, or, where it waits for others, that the one of them which has no result is made to go on."""

    reason: str
    waits_for: WaitReason | None = msgspec.field(default=None, name="for")


class Unblocked(_TaskEvent, frozen=True, tag="task.unblocked"):
    """A person dealt with it."""


class Retried(_TaskEvent, frozen=True, tag="task.retried"):
    """It was retried, with all its retries ahead; completed steps stay.

    What ended before it ever ran waits for its predecessors again. `deadline_ns` is the new deadline: 0 removes it,
    None keeps the old one.
    """

    by: str = ""
    deadline_ns: Count | None = None


type TaskEvent = (
    Submitted
    | Readied
    | Scheduled
    | Started
    | Returned
    | StepStarted
    | StepCompleted
    | StepFailed
    | StepCompensated
    | StepUndoFailed
    | Recalled
    | Waiting
    | Unparked
    | Interrupted
    | AttemptFailed
    | Completed
    | Continued
    | CancelRequested
    | Cancelled
    | Compensating
    | Paused
    | Resumed
    | Blocked
    | Unblocked
    | Retried
    | Signalled
    | Edited
    | Deleted
    | Expired
    | Forked
    | ForkMade
    | TaskArchived
    | ApprovalAsked
    | ApprovalAnswered
    | ApprovalWithdrawn
)

CODEC: Codec[TaskEvent] = Codec(TaskEvent.__value__)
