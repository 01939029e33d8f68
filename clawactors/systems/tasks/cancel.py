"""How a task is cancelled: at once where nothing of it runs, by its node, or once its steps are undone."""

from clawactors.kernel.errors import Refused
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.parking import go_on
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
    new = undo > life.undo_requested or command.now > life.cancel_now or not life.cancel_requested
    asked = (e.CancelRequested(command.by, undo, command.now),) if new else ()
    undoes = life.undoable > 0 and (undo or life.undo_requested)
    if life.undo is not None or life.status == "running" or (life.status == "scheduled" and (undo or life.parked)):
        return asked
    if life.parked:  # its code may clean up
        ready = (e.Readied(),) if life.status == "waiting" else ()
        return (*asked, *ready, go_on(task))
    return (*asked, e.Compensating("cancelled") if undoes else e.Cancelled())
