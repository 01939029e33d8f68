"""The actor of a task for those who do not run it."""

from clawactors.runtime.actor import Actor
from clawactors.runtime.context import ActorContext
from clawactors.systems.tasks import Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.submission import checked_id

__all__ = ["TaskActor", "actor_of"]

type TaskActor = Actor[c.TaskCommand, Task, e.TaskEvent]


def actor_of(context: ActorContext, id: str) -> TaskActor:
    """The actor, which has read nothing yet. Raises: `Refused` where that is no id."""
    return Actor(context, TASKS, checked_id(id))
