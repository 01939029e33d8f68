"""The state machine of a task. Numbered rules; `tests/clawactors/systems/tasks/` names them.

1. A change is an event. An illegal command is refused with the reason, and nothing is written.
2. A repeated command is quiet, a contradicting one is refused.
3. A command from a node counts only with the fence of the attempt that runs now.
4. A completed step is never completed again.
5. An ended task changes only by `RetryTask`, `NoteFork`, `Delete` and `ArchiveTask`; other commands are refused.
6. Lost nodes use up no user retries; five counted losses in a row without a new step make the task `dead`.
7. A requested cancel outlives its attempt: an event that would let the task continue ends it instead.
"""

from typing import Any, assert_never

from msgspec.structs import replace

from clawactors.kernel.decider import Decider
from clawactors.kernel.errors import Exists, NotFound, Refused
from clawactors.kernel.time import iso
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.approvals import answer_approval, ask_or_withdraw, signal_of
from clawactors.systems.tasks.archiving import again, archive
from clawactors.systems.tasks.attempt import OF_ATTEMPT, check_fence, decide_of_attempt, or_cancel
from clawactors.systems.tasks.cancel import decide_cancel
from clawactors.systems.tasks.children import CHILDREN, fresh_ends
from clawactors.systems.tasks.continuing import difference_from
from clawactors.systems.tasks.evolution import evolve
from clawactors.systems.tasks.parking import go_on, loaded_again, wake
from clawactors.systems.tasks.spec import ERASED, as_event
from clawactors.systems.tasks.submission import difference, in_words
from clawactors.systems.tasks.task import FINAL, MAX_INTERRUPTIONS, RETRIABLE, Task
from clawactors.systems.tasks.undoing import undone_first

__all__ = ["TASK", "decide"]

_FIXED = ("skill", "after", "fork_of", "fork_step", "parent", "depth", "on_parent_cancel", "parent_run")
"""What makes a task the one that it is: edits leave it alone."""


def decide(command: c.TaskCommand, task: Task) -> tuple[e.TaskEvent, ...]:
    """The events that the command leads to in this state, none for a repeat. Raises `Refused`."""
    if isinstance(command, c.Submit):
        return _submit(command, task)
    if isinstance(command, c.Admit):
        return _admit(command, task)
    if task.spec is None:
        raise NotFound("there is no such task")
    status = task.life.status
    if isinstance(command, c.ArchiveTask):
        return archive(command, task, task.spec)
    if status == "archived":
        raise Refused("the task is archived")
    if isinstance(command, OF_ATTEMPT):  # by far the most frequent
        return decide_of_attempt(command, task)
    match command:
        case c.Ready():
            return wake(task) if status == "waiting" or task.life.blocked_by_others else ()
        case c.Await():
            return (e.Waiting("dependency"),) if task.life.blocked_by_others else ()
        case c.ScheduleTask():
            return _schedule(command, task, task.spec)
        case c.Cancel():
            return decide_cancel(command, task)
        case c.Interrupt():
            return _interrupt(command, task)
        case c.RetryTask():
            return _retry(command, task, task.spec)
        case c.Pause():
            return _pause(command, task)
        case c.Resume():
            _open(task, "be resumed")
            return (e.Resumed(), *loaded_again(task)) if status == "paused" else loaded_again(task)
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
            if status in FINAL or task.life.undo is not None:
                return ()
            return (undone_first(task, "failed", command.error, e.Expired(command.error)),)
        case c.Inherit():
            return _inherit(command, task)
        case c.NoteFork():
            return () if command.to in task.life.forks else (e.ForkMade(command.to, command.step),)
        case c.AskApproval() | c.WithdrawApproval():
            return ask_or_withdraw(command, task)
        case c.AnswerApproval():
            answered = answer_approval(command, task)
            return (answered, *_signal(c.Signal(*signal_of(answered)), task)) if answered else ()
        case c.NoteChildren():
            fresh = fresh_ends(command.ends, task.journal)
            return _signal(c.Signal(CHILDREN, fresh), task) if fresh else ()
        case _:
            assert_never(command)


def _open(task: Task, verb: str) -> None:
    if task.life.status in FINAL:
        raise Refused(f"the task is {task.life.status}; an ended task can't {verb}")


def _submit(command: c.Submit, task: Task) -> tuple[e.TaskEvent, ...]:
    spec = command.spec
    if task.spec is None:
        return (as_event(spec, e.Submitted),)
    if command.delayed:
        spec = replace(spec, not_before_ns=task.spec.not_before_ns)
    if (tombstone := task.life.archived) is not None:
        return again(tombstone, spec)
    if (other := difference_from(task, spec)) is not None:
        raise Exists(f"exists with {in_words(other)}; choose another id")
    return ()


def _admit(command: c.Admit, task: Task) -> tuple[e.TaskEvent, ...]:
    spec = command.spec
    made = (as_event(spec, e.Submitted),) if task.spec is None else _submit(c.Submit(spec), task)
    if not made or spec.fork_of or spec.after or spec.not_before_ns:  # it may have to wait: it is placed later
        return made
    # The parameters stand in the same commit, so they are not repeated.
    return (*made, _given(command, spec, 1))


def _given(command: c.Admit | c.ScheduleTask, spec: e.Spec, attempt: int, **more: Any) -> e.Scheduled:
    return e.Scheduled(
        node=command.node,
        incarnation=command.incarnation,
        losses=command.losses,
        attempt=attempt,
        skill=spec.skill,
        timeout_s=spec.timeout_s,
        max_retries=spec.max_retries,
        user=spec.user,
        **more,
    )


def _schedule(command: c.ScheduleTask, task: Task, spec: e.Spec) -> tuple[e.TaskEvent, ...]:
    life = task.life
    if life.status != "pending":
        raise Refused(f"the task is {life.status}, not pending")
    if life.parked:
        if (command.node, command.incarnation) != (life.node, life.incarnation):
            raise Refused(f"node {life.node} keeps the task parked, so it can't be given to {command.node}")
        return (go_on(task),)
    counted = {"failures": life.failures, "interruptions": life.interruptions, "steps": life.steps_completed}
    return (_given(command, spec, life.attempt + 1, params=spec.params, **counted),)


def _interrupt(command: c.Interrupt, task: Task) -> tuple[e.TaskEvent, ...]:
    life = task.life
    if life.status not in ("scheduled", "running") or task.fence != command.fence:
        return ()  # that run is over already, in one way or another
    if life.cancel_requested and life.undo is None:
        return or_cancel(task, e.Interrupted(command.reason, counted=False))
    # A suspect announces itself before its code runs, so while it is only scheduled it is not to blame.
    innocent = life.status == "scheduled" and life.interruptions > 0
    counted = command.counted and not innocent
    end = e.Interrupted(command.reason, counted, dead=counted and life.interruptions + 1 >= MAX_INTERRUPTIONS)
    if end.dead and (first := undone_first(task, "dead", e.TaskError("interrupted", command.reason), end)) is not end:
        return (e.Interrupted(command.reason, counted), first)
    return (end,)


def _retry(command: c.RetryTask, task: Task, spec: e.Spec) -> tuple[e.TaskEvent, ...]:
    status = task.life.status
    if status == "completed":
        raise Refused("the task is completed; submit it again under another id")
    if status not in RETRIABLE:
        raise Refused(f"the task is {status}, so it is still going; only an ended or blocked task can be retried")
    if spec.erased:
        raise Refused(ERASED)
    deadline_ns = spec.deadline_ns if command.deadline_ns is None else command.deadline_ns
    if 0 < deadline_ns <= command.at_ns:
        raise Refused(f"its deadline {iso(deadline_ns)} has passed, so it would end at once; retry it with a later one")
    return (e.Retried(command.by, None if deadline_ns == spec.deadline_ns else deadline_ns),)


def _signal(command: c.Signal, task: Task) -> tuple[e.TaskEvent, ...]:
    _open(task, "take a signal")
    life = task.life
    signalled = e.Signalled(command.name, command.payload)
    awaited = life.status == "waiting" and any(
        wait.reason == "signal" and wait.name == command.name for wait in life.open_waits
    )
    return (signalled, *wake(task)) if awaited else (signalled,)


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
    return (as_event(command.spec, e.Edited),)


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
        check_fence(task, command.fence)
    _open(task, "be blocked")
    return () if task.life.status == "blocked" else or_cancel(task, e.Blocked(command.reason, command.waits_for))


def _is_final(task: Task) -> bool:
    return task.life.status in FINAL


TASK: Decider[c.TaskCommand, Task, e.TaskEvent] = Decider("task", Task(), decide, evolve, _is_final)
