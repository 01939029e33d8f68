"""The rules of a running attempt: what the node that holds a task may change, and when.

The rules are numbered in `decider`: 3 (fences), 4 (completed steps) and 7 (cancels) are kept here.
"""

from typing import Final, assert_never

from clawactors.kernel.errors import Refused
from clawactors.systems.tasks import attemptcommands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.attemptcommands import AttemptCommand
from clawactors.systems.tasks.continuing import continue_run
from clawactors.systems.tasks.journal import SIGNAL
from clawactors.systems.tasks.parking import UNDONE, park, wake
from clawactors.systems.tasks.task import Task
from clawactors.systems.tasks.undoing import end_of_undo, undone_first

__all__ = ["OF_ATTEMPT", "check_fence", "decide_of_attempt", "or_cancel"]

# As tuples, because a union in `isinstance` is made anew at every call.
OF_ATTEMPT: Final = (
    c.CompleteStep, c.StartTask, c.Complete, c.FailStep, c.StartStep,
    c.Return, c.Fail, c.Wait, c.Park, c.Wake, c.Unpark, c.ConfirmCancel, c.Compensate,
    c.FailUndo, c.BeginUndo, c.EndUndo, c.ContinueRun, c.NoteRecalled,
)  # fmt: skip
_WHEN_PAUSED: Final = (c.CompleteStep, c.Compensate, c.FailUndo, c.NoteRecalled)
_BEFORE_IT_RUNS: Final = (c.StartTask, c.Return, c.ConfirmCancel)
_WHILE_PARKED: Final = (c.Wake, c.Unpark)


def decide_of_attempt(
    command: AttemptCommand,
    task: Task,
) -> tuple[e.TaskEvent, ...]:
    """The events that a command of the node that runs the task leads to. Raises `Refused`."""
    status = task.life.status
    if isinstance(command, _WHEN_PAUSED) and status == "paused":
        check_fence(task, command.fence)  # the pause came while the step ran: what is done is done
    elif isinstance(command, _WHILE_PARKED):
        check_fence(task, command.fence)
        if not task.life.parked:
            raise Refused(f"the task is {status}, and not parked")
    else:
        _running(task, command.fence, or_scheduled=isinstance(command, _BEFORE_IT_RUNS))
    match command:  # every miss takes time, so the frequent ones come first
        case c.CompleteStep():
            _not_done(task, command.step)
            return (
                e.StepCompleted(
                    command.step, command.result, command.took_s, command.progress, command.fingerprint, command.undo
                ),
            )
        case c.Complete():
            return (e.Completed(command.result),)
        case c.StartTask():
            return (e.Started(),) if status == "scheduled" else ()
        case c.Return():
            if status == "running":
                raise Refused("the task is running already")
            return or_cancel(task, e.Returned(command.reason))
        case c.StartStep():
            _not_done(task, command.step)
            return (e.StepStarted(command.step, command.ran_s),)
        case c.FailStep():
            _not_done(task, command.step)
            return (e.StepFailed(command.step, command.error, command.took_s),)
        case c.NoteRecalled():
            known = frozenset(task.life.recalled)
            fresh = tuple(dict.fromkeys(id for id in command.memories if id not in known))
            return (e.Recalled(fresh),) if fresh else ()
        case c.Compensate():
            if not task.journal.completed(command.step):
                raise Refused(f"step {command.step!r} is not completed, so there is nothing to undo")
            return (e.StepCompensated(command.step, command.took_s),)
        case c.FailUndo():
            if task.life.undo is None or not task.journal.completed(command.step):
                raise Refused(f"step {command.step!r} is not being undone")
            if command.step in task.life.undo.failed:
                return ()
            return (e.StepUndoFailed(command.step, command.error, command.took_s),)
        case c.BeginUndo():
            return (e.Compensating("failed", command.error),) if task.life.undoable and task.life.undo is None else ()
        case c.EndUndo():
            if task.life.undo is None:
                raise Refused("nothing is being undone")
            return (end_of_undo(task),)
        case c.Wait():
            if task.life.undo is not None:
                raise Refused(UNDONE)
            if command.reason == "timer" and command.until_ns <= 0:
                raise Refused("a timer needs its time")
            if command.reason == "signal" and task.journal.count(SIGNAL + command.name) > command.taken:
                return ()  # it came while the wait was being written
            return or_cancel(task, e.Waiting(command.reason, command.until_ns, command.name))
        case c.Park():
            return park(command, task)
        case c.Wake():
            return wake(task) if status == "waiting" else ()
        case c.Unpark():
            if status == "scheduled":
                raise Refused("the task was woken meanwhile")
            return (e.Unparked(command.reason),)
        case c.Fail():
            then = "failed" if task.life.cancel_requested and command.then in ("retry", "blocked") else command.then
            if then in ("retry", "blocked"):
                return (_failed(command, then),)
            first = undone_first(task, "cancelled", None, _failed(command, then))
            return (undone_first(task, "dead" if then == "dead" else "failed", command.error, first),)
        case c.ContinueRun():
            return continue_run(command, task)
        case c.ConfirmCancel():
            if not task.life.cancel_requested:
                raise Refused("nobody asked for a cancel")
            return (undone_first(task, "cancelled", None, e.Cancelled()),) if task.life.undo is None else ()
        case _:
            assert_never(command)


def or_cancel(task: Task, goes_on: e.TaskEvent) -> tuple[e.TaskEvent, ...]:
    """That event, and the end of the task where somebody has asked for a cancel."""
    if not task.life.cancel_requested or task.life.undo is not None:
        return (goes_on,)
    return (goes_on, undone_first(task, "cancelled", None, e.Cancelled()))


def _failed(command: c.Fail, then: e.Outcome) -> e.AttemptFailed:
    if then != command.then:
        return e.AttemptFailed(error=command.error, then=then)
    return e.AttemptFailed(
        error=command.error,
        then=then,
        retry_at_ns=command.retry_at_ns,
        elsewhere=command.elsewhere,
        max_retries=command.max_retries,
    )


def check_fence(task: Task, fence: e.Fence) -> None:
    """Raises `Refused` unless that very attempt holds the task."""
    if task.fence != fence or not fence.node:
        life = task.life
        raise Refused(
            f"attempt {fence.attempt} on {fence.node} is over: the task is {life.status}, attempt {life.attempt}"
        )


def _running(task: Task, fence: e.Fence, *, or_scheduled: bool) -> None:
    status = task.life.status
    if status != "running" and not (or_scheduled and status == "scheduled"):
        raise Refused(f"the task is {status}, not running")
    check_fence(task, fence)


def _not_done(task: Task, step: str) -> None:
    if task.journal.completed(step):
        raise Refused(f"step {step!r} is completed already; step names are unique within a task")
