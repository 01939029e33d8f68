"""What people and the cluster did to a task from outside of its code. Tags are promises, as in `events`."""

import msgspec

from clawactors.systems.tasks.spec import Count, Spec, TaskError
from clawactors.systems.tasks.stepevents import InheritedStep

__all__ = ["Deleted", "Edited", "Expired", "ForkMade", "Forked", "TaskArchived"]


class _ChangeEvent(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    pass


class Edited(Spec, frozen=True, omit_defaults=True, kw_only=True, tag="task.edited"):
    """What is asked for was changed before it ran; this is all of it as it is now."""


class Deleted(_ChangeEvent, frozen=True, tag="task.deleted"):
    """A person took it away; the id stays taken."""

    by: str = ""


class Expired(_ChangeEvent, frozen=True, tag="task.expired"):
    """It ended without a result before its code could: its deadline passed, or a predecessor has none."""

    error: TaskError


class Forked(_ChangeEvent, frozen=True, tag="task.forked"):
    """Some of the steps that this fork begins with; `task.ready` follows the last of them."""

    steps: tuple[InheritedStep, ...]


class ForkMade(_ChangeEvent, frozen=True, tag="task.fork_made"):
    """Another task was forked off this one before a step."""

    to: str
    step: str


class TaskArchived(_ChangeEvent, frozen=True, tag="task.archived"):
    """Its history moved to the archive; this stays behind so that the id stays taken.

    `file` of the archive has it, from the sequence `first` on; `ended` is how the task had ended, '' where a person had
    deleted it. `digest` stands for what was asked for.
    """

    file: str = ""
    first: Count = 0
    ended: str = ""
    skill: str = ""
    user: str = ""
    submitted_ns: Count = 0
    completed_ns: Count = 0
    digest: str = ""
