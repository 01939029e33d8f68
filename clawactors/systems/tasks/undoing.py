"""When the end of a task is put off until its steps are undone.

1. Nothing is undone twice, and a task whose steps are being undone ends in no other way than its undo says.
2. A failure undoes steps where their skill wants it (`on_failure="compensate"`), a cancel where that was asked for.
"""

from msgspec.structs import replace

from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.task import Task

__all__ = ["end_of_undo", "undone_first"]


def undone_first(task: Task, then: e.UndoEnd, error: e.TaskError | None, end: e.TaskEvent) -> e.TaskEvent:
    """The event that ends the task so, or the one that has its steps undone before."""
    life = task.life
    wanted = life.undo_requested if then == "cancelled" else life.undo_on_failure
    return e.Compensating(then, error) if wanted and life.undoable and life.undo is None else end


def end_of_undo(task: Task) -> e.TaskEvent:
    """How the task ends, now that its steps are undone; an error says which could not be."""
    undo = task.life.undo
    if undo is None or undo.then == "cancelled" or task.life.cancel_requested:
        return e.Cancelled()
    error = undo.error or e.TaskError("unknown", "its steps were undone")
    if undo.failed:
        error = replace(error, message=f"{error.message}; not undone: {', '.join(undo.failed)}")
    return e.AttemptFailed(error=error, then=undo.then)
