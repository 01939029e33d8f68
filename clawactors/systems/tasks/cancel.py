"""How a task is cancelled: at once where nothing of it runs, by its node, or once its steps are undone."""

from clawactors.kernel.errors import Refused
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.task import FINAL, Task

__all__ = ["decide_cancel"]


def decide_cancel(command: c.Cancel, task: Task) -> tuple[e.TaskEvent, ...]:
    """The events of a cancel, at once or once the steps are undone. Raises: `Refused`."""
    life, undo = task.life, command.undo
    if life.status == "cancelled":
        raise Refused("the task is cancelled already")
    if life.status in ("failed", "dead") and undo and life.undoable:
        return (e.Retried(command.by), e.CancelRequested(command.by, undo), e.Compensating("cancelled", life.error))
    if life.status in FINAL:
        raise Refused(f"the task is {life.status}; an ended task can't be cancelled")
    new = not life.cancel_requested or (undo and not life.undo_requested)
    asked = (e.CancelRequested(command.by, undo),) if new else ()
    undoes = life.undoable > 0 and (undo or life.undo_requested)
    if life.undo is not None or life.status == "running" or (life.status == "scheduled" and undo):
        return asked
    return (*asked, e.Compensating("cancelled") if undoes else e.Cancelled())
