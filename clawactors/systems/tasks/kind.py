"""The kind of tasks."""

from typing import Final

from msgspec.structs import replace

from clawactors.kernel.kind import Kind
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.decider import TASK
from clawactors.systems.tasks.external import COMMANDS, command_of
from clawactors.systems.tasks.journal import Journal
from clawactors.systems.tasks.personal import bare
from clawactors.systems.tasks.task import Task

__all__ = ["TASKS"]

# As tuples, because a union in `isinstance` is made anew at every call.
_CREATING: Final = (c.Submit, c.Admit)
_IN_BRIEF: Final = (
    c.Signal, c.Cancel, c.Pause, c.Resume, c.RetryTask, c.Delete, c.Edit, c.Expire, c.ArchiveTask, c.Ready, c.Await,
    c.ScheduleTask, c.Interrupt, c.Block, c.Unblock, c.NoteFork,
)  # fmt: skip
"""These ask nothing of the journal, which may hold a hundred thousand signals and ends of children."""


def _node_of(task: Task) -> str:
    life = task.life
    return life.node if life.parked or life.status in ("scheduled", "running", "paused") else ""


def _believes(_id: str, task: Task, writer: str) -> bool:
    """A node speaks about the attempt that it holds, and about nothing else."""
    return not writer or writer == _node_of(task)


def _creates(command: c.TaskCommand) -> bool:
    return isinstance(command, _CREATING)


def _decides_in_brief(command: c.TaskCommand) -> bool:
    return isinstance(command, _IN_BRIEF)


def _owner(task: Task) -> str:
    return task.spec.user if task.spec is not None else ""


def _brief(task: Task) -> Task:
    return replace(task, journal=Journal()) if task.journal else task


TASKS: Final[Kind[c.TaskCommand, Task, e.TaskEvent]] = Kind(
    name="task",
    decider=TASK,
    codec=e.CODEC,
    command_decoder=COMMANDS,
    command_of=command_of,
    route=_node_of,
    believes=_believes,
    creates=_creates,
    brief=_brief,
    decides_in_brief=_decides_in_brief,
    owner=_owner,
    bare=bare,
)
