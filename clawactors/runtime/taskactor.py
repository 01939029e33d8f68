"""The actor of a task for those who do not run it: what they append reaches the node that does."""

from clawactors.runtime.actor import Actor, ActorContext
from clawactors.systems.tasks import TASK, Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.submission import checked_id

__all__ = ["TaskActor", "actor_of", "runner_of"]

type TaskActor = Actor[c.TaskCommand, Task, e.TaskEvent]


def actor_of(desk: ActorContext, id: str) -> TaskActor:
    """The actor, which has read nothing yet. Raises: `Refused` where that is no id."""
    return Actor(desk, TASK, e.CODEC, checked_id(id), route=runner_of)


def runner_of(task: Task) -> str:
    """The node that must hear of a change to the task."""
    return task.life.node if task.life.status in ("scheduled", "running", "paused") else ""
