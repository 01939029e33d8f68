"""The state of a task after an event of one of its steps, or of the undo of its steps. As total as `evolution`."""

from msgspec.structs import replace

from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.journal import RECOVERY, Entry
from clawactors.systems.tasks.task import Task, Undoing

__all__ = ["StepEvent", "evolve_step", "step_completed", "undoing"]

type StepEvent = e.StepStarted | e.StepFailed | e.StepCompensated | e.StepUndoFailed


def step_completed(task: Task, event: e.StepCompleted, at_ns: int) -> Task:
    """The task with one completed step more."""
    life, undo = task.life, event.undo
    entry = Entry(event.step, "completed", at_ns, life.attempt, event.result, "", event.took_s, event.fingerprint, undo)
    after = replace(
        life,
        steps_completed=life.steps_completed + 1,
        progress=life.progress if event.progress is None else event.progress,
        interruptions=life.interruptions if event.step.startswith(RECOVERY) else 0,
        updated_ns=at_ns,
        waited=(),
    )
    if undo is not None:
        after = replace(after, undoable=life.undoable + 1, undo_on_failure=life.undo_on_failure or undo.auto)
    return Task(task.spec, after, task.journal.extended(entry))


def evolve_step(task: Task, event: StepEvent, at_ns: int) -> Task:
    """The running task after the event; the same object where the event is illegal."""
    life, journal, done = task.life, task.journal, task.journal.last(event.step)
    after = replace(life, updated_ns=at_ns)
    if done is not None and not done.is_done:
        done = None
    runs = life.status == "running"
    match event:
        case e.StepStarted() if done is None and runs:
            entry = Entry(event.step, "running", at_ns, life.attempt, took_s=event.ran_s)
        case e.StepFailed() if done is None and runs:
            entry = Entry(event.step, "failed", at_ns, life.attempt, None, event.error, event.took_s)
        case e.StepCompensated() if done is not None:
            entry = Entry(event.step, "compensated", at_ns, life.attempt, None, "", event.took_s)
            undoable = max(0, life.undoable - (done.undo is not None))
            after = replace(after, steps_completed=life.steps_completed - 1, undoable=undoable, interruptions=0)
        case e.StepUndoFailed() if done is not None and life.undo is not None and event.step not in life.undo.failed:
            entry = replace(
                done, status="undo_failed", at_ns=at_ns, attempt=life.attempt, error=event.error, took_s=event.took_s
            )
            undo = replace(life.undo, failed=(*life.undo.failed, event.step))
            after = replace(after, undo=undo, interruptions=0)
        case _:
            return task
    return Task(task.spec, after, journal.extended(entry))


def undoing(event: e.Compensating) -> Undoing:
    """What is kept of the undo while it is under way."""
    return Undoing(event.then, event.error)
