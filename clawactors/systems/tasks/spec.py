"""What is asked of a task, and the values that its events and commands share."""

from typing import Annotated, Any, Final, Literal

import msgspec

__all__ = [
    "ERASED",
    "Count",
    "DurableWait",
    "Fence",
    "OnDead",
    "OnParentCancel",
    "Outcome",
    "Priority",
    "Spec",
    "TaskError",
    "UndoEnd",
    "WaitReason",
    "as_event",
]

type WaitReason = Literal["dependency", "timer", "retry", "signal", "fork"]
type Outcome = Literal["retry", "failed", "dead", "blocked"]
type UndoEnd = Literal["failed", "dead", "cancelled"]
"""How a task ends once its steps are undone."""
type OnDead = Literal["block", "fail", "run"]
type OnParentCancel = Literal["cancel", "leave"]
type Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""A number, or a time in ns since 1970, that every store and every language can hold."""
type Priority = Annotated[int, msgspec.Meta(ge=1, le=4)]


ERASED: Final = "what it was asked to do was erased with all data of its user: submit it anew, under another id"


class Fence(msgspec.Struct, frozen=True, gc=False):
    """Which run of a task speaks: a node's command counts only while the task is in that very attempt."""

    node: str
    incarnation: str
    attempt: Count


class DurableWait(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One thing that the code of a task waits for; `until_ns` where that is a time, `name` of a signal."""

    reason: WaitReason = msgspec.field(name="for")
    until_ns: Count = 0
    name: str = ""


class TaskError(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, rename={"kind": "class"}):
    """Why an attempt failed; `kind` is the error class, on the wire `class`. `traceback` is for people, and bounded."""

    kind: str
    message: str
    traceback: str = ""


class Spec(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """What was asked for. Times in ns since 1970, durations in seconds; None takes the skill's own default.

    `on_dead`: what follows when one of `after` ends without a result. A fork begins with the steps of the task
    `fork_of` that come before its `fork_step`. A child names its `parent`; `depth` counts the parents above it, and
    `on_parent_cancel` says what follows for it when its parent ends without a result. `parent_run`: the run of the
    parent that made it, where that is not the first. `recalled`: memories that the parameters may repeat, because the
    parent, or the source of a fork, had been answered with them. `erased`: what was personal in it was erased with its
    user's key.
    """

    skill: str
    params: dict[str, Any] = {}
    name: str = ""
    description: str = ""
    user: str = ""
    type: str = msgspec.field(default="single", name="kind")
    priority: Priority = 2
    requires: tuple[str, ...] = ()
    prefers: tuple[str, ...] = ()
    affinity: dict[str, str] = {}
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}
    after: tuple[str, ...] = ()
    on_dead: OnDead = "block"
    fork_of: str = ""
    fork_step: str = ""
    not_before_ns: Count = 0
    deadline_ns: Count = 0
    timeout_s: float | None = None
    max_retries: Count | None = None
    parent: str = ""
    depth: Count = 0
    on_parent_cancel: OnParentCancel = "cancel"
    parent_run: Count = 0
    recalled: tuple[str, ...] = ()
    erased: bool = False


def as_event[S: Spec](spec: Spec, event: type[S]) -> S:
    """The event of that type with all that was asked for."""
    return event(
        skill=spec.skill,
        params=spec.params,
        name=spec.name,
        description=spec.description,
        user=spec.user,
        type=spec.type,
        priority=spec.priority,
        requires=spec.requires,
        prefers=spec.prefers,
        affinity=spec.affinity,
        tags=spec.tags,
        metadata=spec.metadata,
        after=spec.after,
        on_dead=spec.on_dead,
        fork_of=spec.fork_of,
        fork_step=spec.fork_step,
        not_before_ns=spec.not_before_ns,
        deadline_ns=spec.deadline_ns,
        timeout_s=spec.timeout_s,
        max_retries=spec.max_retries,
        parent=spec.parent,
        depth=spec.depth,
        on_parent_cancel=spec.on_parent_cancel,
        parent_run=spec.parent_run,
        recalled=spec.recalled,
        erased=spec.erased,
    )
