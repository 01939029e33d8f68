"""What placement holds of a task, and what it proposes to do with it."""

import msgspec
from msgspec.structs import replace

from clawactors.systems.placement.choice import TaskShape
from clawactors.systems.tasks import Task
from clawactors.systems.tasks import commands as c

__all__ = ["PlannedCommand", "TrackedTask", "slim"]


def slim(task: Task) -> Task:
    """The task without what may be large and placement never looks at: fetched again when the task is placed."""
    spec = task.spec
    if spec is None or not (spec.params or spec.metadata or spec.description):
        return task
    return replace(task, spec=replace(spec, params={}, metadata={}, description=""))


class PlannedCommand(msgspec.Struct, frozen=True, gc=False):
    """A command to a task, decided on this version of it; `to` is the node that must hear of it."""

    id: str
    version: int
    task: Task
    command: c.TaskCommand
    to: str = ""


class TrackedTask:
    """An open task. `ordered`: an order on this version is under way, `to`: where it gives the task to.

    `counted_at` is the node that counts it, `timed` whether it has timers, `depends` whether it waits for others.
    `kept_at` is the node that keeps its parked run. `queued_as` is the user in whose line it waits, None
    where it is not pending, and `since_ns` since when.
    """

    __slots__ = (
        "counted_at",
        "depends",
        "kept_at",
        "ordered",
        "queued_as",
        "shape",
        "since_ns",
        "task",
        "timed",
        "to",
        "version",
    )

    def __init__(self, version: int, task: Task, shape: TaskShape) -> None:
        self.version, self.task, self.shape = version, task, shape
        self.ordered, self.to, self.counted_at, self.kept_at = False, "", "", ""
        self.timed = self.depends = False
        self.queued_as: str | None = None
        self.since_ns = 0

    @property
    def given(self) -> bool:
        """True while the task is a node's."""
        return self.task.life.status in ("scheduled", "running")

    @property
    def rests(self) -> bool:
        """True while a node keeps its run in memory, and it was not given back to that node."""
        return self.task.life.parked and self.task.life.status in ("waiting", "pending")

    @property
    def is_under_way(self) -> bool:
        """True while the task is a node's, be it a lost one, or an order is about to make it one's."""
        return self.given or self.to != ""

    def stays(self, task: Task) -> bool:
        """True when the task's new state is kept in the same places as the present one."""
        old, new = self.task.life, task.life
        return (
            not self.ordered
            and self.task.spec is task.spec
            and old.status == new.status
            and old.attempt == new.attempt
            and old.parked == new.parked
            and old.until_ns == new.until_ns
            and old.waiting_for == new.waiting_for
        )
