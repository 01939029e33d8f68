"""The state machine of a task. Numbered rules; `tests/clawactors/tasks/` names them.

1. A change is an event. What is illegal is refused with the reason, and nothing is written.
2. A repeated wish is quiet, a contradicting one is refused.
3. What a node says counts only with the fence of the attempt that runs now.
4. A completed step is never completed again.
5. An ended task changes only by `Retry`, `NoteFork`, `Delete` and `Archive`; any other wish is refused.
6. Losing nodes uses up no user retries; five counted losses in a row without a new step make it `dead`.
7. A wish to cancel outlives the run that is told of it: what would make the task go on ends it instead.
"""

from typing import Final, assert_never

from msgspec.structs import replace

from clawactors.kernel.decider import Decider
from clawactors.kernel.errors import NotFound, Refused
from clawactors.kernel.time import iso
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.evolution import evolve
from clawactors.systems.tasks.journal import SIGNAL
from clawactors.systems.tasks.submission import difference
from clawactors.systems.tasks.task import FINAL, MAX_INTERRUPTIONS, RETRIABLE, Task

__all__ = ["TASK", "decide"]

_FIXED = ("skill", "after", "fork_of", "fork_step")
"""What makes a task the one that it is: edits leave it alone."""

# As tuples, because a union in `isinstance` is made anew at every call.
_OF_NODE: Final = (
    c.CompleteStep, c.StartTask, c.Complete, c.FailStep, c.StartStep,
    c.Return, c.Fail, c.Wait, c.ConfirmCancel, c.Compensate,
)  # fmt: skip
_BEFORE_IT_RUNS: Final = (c.StartTask, c.Return, c.ConfirmCancel)


def decide(command: c.TaskCommand, task: Task) -> tuple[e.TaskEvent, ...]:
    """The events that the command leads to in this state, none for a repeat. Raises `Refused`."""
    if isinstance(command, c.Submit):
        return _submit(command, task)
    if isinstance(command, c.Admit):
        return _admit(command, task)
    if task.spec is None:
        raise NotFound("there is no such task")
    status = task.life.status
    if status == "archived":
        if isinstance(command, c.ArchiveTask):
            return ()
        raise Refused("the task is archived")
    if isinstance(command, _OF_NODE):  # by far the most frequent
        return _of_node(command, task)
    match command:
        case c.Ready():
            return (e.Readied(),) if status == "waiting" or task.life.blocked_by_others else ()
        case c.Await():
            return (e.Waiting("dependency"),) if task.life.blocked_by_others else ()
        case c.ScheduleTask():
            return _schedule(command, task, task.spec)
        case c.Cancel():
            return _cancel(command, task)
        case c.Interrupt():
            return _interrupt(command, task)
        case c.RetryTask():
            return _retry(command, task, task.spec)
        case c.Pause():
            return _pause(command, task)
        case c.Resume():
            _open(task, "be resumed")
            return (e.Resumed(),) if status == "paused" else ()
        case c.Block():
            return _block(command, task)
        case c.Unblock():
            _open(task, "be unblocked")
            return (e.Unblocked(),) if status == "blocked" else ()
        case c.Signal():
            return _signal(command, task)
        case c.Edit():
            return _edit(command, task, task.spec)
        case c.Delete():
            return _delete(command, task)
        case c.Expire():
            return () if status in FINAL else (e.Expired(command.error),)
        case c.Inherit():
            return _inherit(command, task)
        case c.NoteFork():
            return () if command.to in task.life.forks else (e.ForkMade(command.to, command.step),)
        case c.ArchiveTask():
            if status not in FINAL:
                raise Refused(f"the task is {status}; only an ended task can be archived")
            return (e.TaskArchived(),)
        case _:
            assert_never(command)


def _submit(command: c.Submit, task: Task) -> tuple[e.TaskEvent, ...]:
    spec = command.spec
    if task.spec is None:
        return (e.Submitted(**{name: getattr(spec, name) for name in e.Spec.__struct_fields__}),)
    if command.delayed:
        spec = replace(spec, not_before_ns=task.spec.not_before_ns)
    if (other := difference(task.spec, spec)) is not None:
        raise Refused(f"the id is taken by a task with another {other}; choose another id")
    return ()


def _admit(command: c.Admit, task: Task) -> tuple[e.TaskEvent, ...]:
    made = _submit(c.Submit(command.spec), task)
    if not made:
        return ()
    spec = command.spec
    # The parameters stand in the same commit, so they are not repeated.
    given = e.Scheduled(
        node=command.node,
        incarnation=command.incarnation,
        losses=command.losses,
        attempt=1,
        skill=spec.skill,
        timeout_s=spec.timeout_s,
        max_retries=spec.max_retries,
    )
    return (*made, given)


def _schedule(command: c.ScheduleTask, task: Task, spec: e.Spec) -> tuple[e.TaskEvent, ...]:
    life = task.life
    if life.status != "pending":
        raise Refused(f"the task is {life.status}, not pending")
    return (
        e.Scheduled(
            node=command.node,
            incarnation=command.incarnation,
            losses=command.losses,
            attempt=life.attempt + 1,
            skill=spec.skill,
            params=spec.params,
            timeout_s=spec.timeout_s,
            max_retries=spec.max_retries,
            failures=life.failures,
            interruptions=life.interruptions,
            steps=life.steps_completed,
        ),
    )


def _cancel(command: c.Cancel, task: Task) -> tuple[e.TaskEvent, ...]:
    life = task.life
    if life.status == "cancelled":
        raise Refused("the task is cancelled already")
    _open(task, "be cancelled")
    if life.status == "running":
        return () if life.cancel_requested else (e.CancelRequested(command.by),)
    asked = () if life.cancel_requested else (e.CancelRequested(command.by),)
    return (*asked, e.Cancelled())


def _interrupt(command: c.Interrupt, task: Task) -> tuple[e.TaskEvent, ...]:
    life = task.life
    if life.status not in ("scheduled", "running") or task.fence != command.fence:
        return ()  # that run is over already, in one way or another
    if life.cancel_requested:
        return (e.Interrupted(command.reason, counted=False), e.Cancelled())
    # A suspect announces itself before its code runs, so while it is only scheduled it is not to blame.
    innocent = life.status == "scheduled" and life.interruptions > 0
    counted = command.counted and not innocent
    return (e.Interrupted(command.reason, counted, dead=counted and life.interruptions + 1 >= MAX_INTERRUPTIONS),)


def _retry(command: c.RetryTask, task: Task, spec: e.Spec) -> tuple[e.TaskEvent, ...]:
    status = task.life.status
    if status == "completed":
        raise Refused("the task is completed; submit it again under another id")
    if status not in RETRIABLE:
        raise Refused(f"the task is {status}, so it is still going; only an ended or blocked task can be retried")
    deadline_ns = spec.deadline_ns if command.deadline_ns is None else command.deadline_ns
    if 0 < deadline_ns <= command.at_ns:
        raise Refused(f"its deadline {iso(deadline_ns)} has passed, so it would end at once; retry it with a later one")
    return (e.Retried(command.by, None if deadline_ns == spec.deadline_ns else deadline_ns),)


def _signal(command: c.Signal, task: Task) -> tuple[e.TaskEvent, ...]:
    _open(task, "take a signal")
    life = task.life
    signalled = e.Signalled(command.name, command.payload)
    awaited = life.status == "waiting" and life.waiting_for == "signal" and life.waiting_name == command.name
    return (signalled, e.Readied()) if awaited else (signalled,)


def _edit(command: c.Edit, task: Task, spec: e.Spec) -> tuple[e.TaskEvent, ...]:
    life = task.life
    if life.status not in ("pending", "waiting", "paused", "blocked") or life.attempt > 0:
        raise Refused(f"the task is {life.status}, attempt {life.attempt}; only one that has not run yet can be edited")
    if (fixed := [name for name in _FIXED if getattr(spec, name) != getattr(command.spec, name)]) != []:
        raise Refused(f"{fixed[0]!r} can't be changed; submit another task")
    if difference(spec, command.spec) is None:
        return ()
    if command.was is not None and (other := difference(spec, command.was)) is not None:
        raise Refused(f"somebody else has edited its {other} meanwhile; look and try again")
    return (e.Edited(**{name: getattr(command.spec, name) for name in e.Spec.__struct_fields__}),)


def _delete(command: c.Delete, task: Task) -> tuple[e.TaskEvent, ...]:
    if task.life.status in ("scheduled", "running"):
        raise Refused(f"the task is {task.life.status}; cancel it first")
    return (e.Deleted(command.by),)


def _inherit(command: c.Inherit, task: Task) -> tuple[e.TaskEvent, ...]:
    if task.life.waiting_for != "fork" or task.life.status != "waiting":
        raise Refused("the task is no fork that waits for its steps")
    fresh = tuple(kept for kept in command.steps if not task.journal.completed(kept.step))
    forked: tuple[e.TaskEvent, ...] = (e.Forked(fresh),) if fresh else ()
    return (*forked, e.Readied()) if command.last else forked


def _pause(command: c.Pause, task: Task) -> tuple[e.TaskEvent, ...]:
    _open(task, "be paused")
    if task.life.status == "paused":
        return ()
    if task.life.cancel_requested:
        raise Refused("the task is being cancelled")
    return (e.Paused(command.by),)


def _block(command: c.Block, task: Task) -> tuple[e.TaskEvent, ...]:
    if command.fence is not None:
        _fenced(task, command.fence)
    _open(task, "be blocked")
    return () if task.life.status == "blocked" else _or_cancel(task, e.Blocked(command.reason, command.waits_for))


def _of_node(
    command: c.StartTask
    | c.Return
    | c.StartStep
    | c.CompleteStep
    | c.FailStep
    | c.Compensate
    | c.Wait
    | c.Fail
    | c.Complete
    | c.ConfirmCancel,
    task: Task,
) -> tuple[e.TaskEvent, ...]:
    """What only the node that runs the task may say."""
    status = task.life.status
    if isinstance(command, c.CompleteStep) and status == "paused":
        _fenced(task, command.fence)  # the pause came while the step ran: what is done is done
    else:
        _running(task, command.fence, or_scheduled=isinstance(command, _BEFORE_IT_RUNS))
    match command:  # every miss takes time, so the frequent ones come first
        case c.CompleteStep():
            _not_done(task, command.step)
            return (
                e.StepCompleted(command.step, command.result, command.took_s, command.progress, command.fingerprint),
            )
        case c.Complete():
            return (e.Completed(command.result),)
        case c.StartTask():
            return (e.Started(),) if status == "scheduled" else ()
        case c.Return():
            if status == "running":
                raise Refused("the task is running already")
            return _or_cancel(task, e.Returned(command.reason))
        case c.StartStep():
            _not_done(task, command.step)
            return (e.StepStarted(command.step),)
        case c.FailStep():
            _not_done(task, command.step)
            return (e.StepFailed(command.step, command.error, command.took_s),)
        case c.Compensate():
            if not task.journal.completed(command.step):
                raise Refused(f"step {command.step!r} is not completed, so there is nothing to undo")
            return (e.StepCompensated(command.step, command.took_s),)
        case c.Wait():
            if command.reason == "timer" and command.until_ns <= 0:
                raise Refused("a timer needs its time")
            if command.reason == "signal" and task.journal.count(SIGNAL + command.name) > command.taken:
                return ()  # it came while the wait was being written
            return _or_cancel(task, e.Waiting(command.reason, command.until_ns, command.name))
        case c.Fail():
            if task.life.cancel_requested and command.then in ("retry", "blocked"):
                return (e.AttemptFailed(error=command.error, then="failed"),)
            return (
                e.AttemptFailed(
                    error=command.error,
                    then=command.then,
                    retry_at_ns=command.retry_at_ns,
                    elsewhere=command.elsewhere,
                    max_retries=command.max_retries,
                ),
            )
        case c.ConfirmCancel():
            if not task.life.cancel_requested:
                raise Refused("nobody asked for a cancel")
            return (e.Cancelled(),)
        case _:
            assert_never(command)


def _or_cancel(task: Task, goes_on: e.TaskEvent) -> tuple[e.TaskEvent, ...]:
    return (goes_on, e.Cancelled()) if task.life.cancel_requested else (goes_on,)


def _open(task: Task, wish: str) -> None:
    if task.life.status in FINAL:
        raise Refused(f"the task is {task.life.status}; an ended task can't {wish}")


def _fenced(task: Task, fence: e.Fence) -> None:
    if task.fence != fence or not fence.node:
        life = task.life
        raise Refused(
            f"attempt {fence.attempt} on {fence.node} is over: the task is {life.status}, attempt {life.attempt}"
        )


def _running(task: Task, fence: e.Fence, *, or_scheduled: bool) -> None:
    status = task.life.status
    if status != "running" and not (or_scheduled and status == "scheduled"):
        raise Refused(f"the task is {status}, not running")
    _fenced(task, fence)


def _not_done(task: Task, step: str) -> None:
    if task.journal.completed(step):
        raise Refused(f"step {step!r} is completed already; step names are unique within a task")


def _is_final(task: Task) -> bool:
    return task.life.status in FINAL


TASK: Decider[c.TaskCommand, Task, e.TaskEvent] = Decider("task", Task(), decide, evolve, _is_final)
