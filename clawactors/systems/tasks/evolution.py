"""The state of a task after an event: the transition table (`docs/states.md` is derived from it).

1. Total: an event that is illegal in the state gives back the very same object, and nothing ever raises.
2. Whatever `decide` gives is legal here, one event after the other.
3. Times come with the events; they are the log's.
"""

from typing import assert_never

from msgspec.structs import replace

from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.approvals import opened
from clawactors.systems.tasks.archiving import may_move, moved
from clawactors.systems.tasks.continuing import continued, may_continue
from clawactors.systems.tasks.journal import SIGNAL, Entry
from clawactors.systems.tasks.spec import as_event
from clawactors.systems.tasks.stepevolution import evolve_step, step_completed, undoing
from clawactors.systems.tasks.task import OPEN, RETRIABLE, Status, Task, TaskStatus
from clawactors.systems.tasks.waiting import no_longer_waiting, pending, ready, waiting, with_run

__all__ = ["evolve"]

_EDITABLE: frozenset[Status] = frozenset(("pending", "waiting", "paused", "blocked"))


def evolve(task: Task, event: e.TaskEvent, at_ns: int) -> Task:
    """The state after the event; the same object where the event is illegal in this state."""
    if task.spec is None:
        if isinstance(event, e.Submitted):
            return _submitted(event, at_ns)
        return moved(event, at_ns) if isinstance(event, e.TaskArchived) and event.file else task
    life, journal = task.life, task.journal
    status = life.status
    match event:  # every miss takes time, so the frequent ones come first
        case e.StepCompleted() if (status == "running" or task.records_steps) and not journal.completed(event.step):
            return step_completed(task, event, at_ns)
        case e.Completed() if status == "running":
            after = _completed(life, event, at_ns)
        case e.Continued() if status == "running" and may_continue(life, event):
            return continued(task, task.spec, event, at_ns)
        case e.Started() if status == "scheduled":
            after = replace(life, status="running", started_ns=life.started_ns or at_ns, updated_ns=at_ns, parked=False)
        case e.Scheduled() if status == "pending" and event.attempt == life.attempt + 1:
            after = _scheduled(life, event, at_ns)
        case e.StepStarted() | e.StepFailed() | e.StepCompensated() | e.StepUndoFailed() if task.records_steps:
            return evolve_step(task, event, at_ns)
        case e.Waiting() if status == "running" or (event.reason == "dependency" and life.blocked_by_others):
            after = waiting(life, at_ns, event.reason, event.until_ns, event.name)
            if event.parked or event.waits:
                after = with_run(after, life, event)
        case e.AttemptFailed() if status == "running":
            after = _attempt_failed(life, event, at_ns)
        case e.Readied() if status == "waiting" or life.blocked_by_others:
            early = life.waiting_for == "dependency" and task.spec.not_before_ns > at_ns
            after = waiting(life, at_ns, "timer", task.spec.not_before_ns) if early else ready(life, at_ns)
        case e.Unparked() if life.parked and status in ("waiting", "pending"):
            after = replace(life, node="", incarnation="", parked=False, updated_ns=at_ns)
        case e.Returned() if status == "scheduled":
            after = pending(life, at_ns)
        case e.Interrupted() if status in ("scheduled", "running"):
            after = _interrupted(life, event, at_ns)
        case e.Signalled() if status in OPEN:
            entry = Entry(SIGNAL + event.name, "signalled", at_ns, life.attempt, event.payload)
            return Task(task.spec, replace(life, updated_ns=at_ns), journal.extended(entry))
        case e.Edited() if status in _EDITABLE and life.attempt == 0:
            return _edited(task, event, at_ns)
        case e.Forked() if life.waiting_for == "fork" and status == "waiting":
            return _forked(task, event, at_ns)
        case e.ForkMade() if status != "archived" and event.to not in life.forks:
            after = replace(life, forks=(*life.forks, event.to), updated_ns=at_ns)
        case e.Expired() if status in OPEN:
            after = replace(_ended(life, "failed", at_ns), error=event.error)
        case e.Deleted() if status not in ("scheduled", "running", "archived"):
            after = _ended(life, "archived", at_ns)
        case e.Recalled() if task.records_steps and not frozenset(event.memories) <= frozenset(life.recalled):
            after = replace(life, recalled=tuple(dict.fromkeys((*life.recalled, *event.memories))), updated_ns=at_ns)
        case e.ApprovalAsked() | e.ApprovalAnswered() | e.ApprovalWithdrawn() if status in OPEN:
            if (approvals := opened(task, event)) is life.approvals:
                return task
            after = replace(life, approvals=approvals, updated_ns=at_ns)
        case e.CancelRequested(undo=undo, now=now) if status in OPEN and (
            not life.cancel_requested or undo > life.undo_requested or now > life.cancel_now
        ):
            after = replace(
                life,
                cancel_requested=True,
                undo_requested=life.undo_requested or undo,
                cancel_now=life.cancel_now or now,
                updated_ns=at_ns,
            )
        case e.Compensating() if status in OPEN and life.undoable and life.undo is None:
            left = replace(life, updated_ns=at_ns) if status in ("scheduled", "running") else pending(life, at_ns)
            after = replace(left, undo=undoing(event), interruptions=0)
        case e.Cancelled() if status in OPEN and life.cancel_requested:
            after = _ended(life, "cancelled", at_ns)
        case e.Paused() if status in OPEN and status != "paused" and not life.cancel_requested:
            # A run ends with the pause (its completed steps stay), so it comes back as pending.
            resumes_to: Status = "pending" if status in ("scheduled", "running") else status
            if life.parked and resumes_to == "waiting":
                life = replace(life, node="", incarnation="")
            after = replace(life, status="paused", resumes_to=resumes_to, parked=False, updated_ns=at_ns)
        case e.Resumed() if status == "paused":
            after = replace(life, status=life.resumes_to, node="", incarnation="", updated_ns=at_ns)
        case e.Blocked() if status in OPEN and status != "blocked":
            still = life.waiting_for if event.waits_for == life.waiting_for else None
            after = replace(
                no_longer_waiting(life, at_ns), status="blocked", blocked_reason=event.reason, waiting_for=still
            )
        case e.Unblocked() if status == "blocked":
            after = pending(life, at_ns)
        case e.Retried() if status in RETRIABLE:
            return _retried(task, task.spec, event, at_ns)
        case e.TaskArchived() if status not in OPEN and may_move(life, event):
            if event.file:
                return moved(event, at_ns)
            after = replace(life, status="archived", updated_ns=at_ns)
        case (
            e.Submitted() | e.Readied() | e.Scheduled() | e.Started() | e.Returned()
            | e.StepStarted() | e.StepCompleted() | e.StepFailed() | e.StepCompensated()
            | e.StepUndoFailed() | e.Compensating() | e.Waiting() | e.Unparked() | e.Interrupted() | e.AttemptFailed()
            | e.Completed() | e.Continued()
            | e.CancelRequested() | e.Cancelled() | e.Paused() | e.Resumed() | e.Blocked() | e.Unblocked()
            | e.Retried() | e.Signalled() | e.Edited() | e.Deleted() | e.Expired() | e.Forked() | e.ForkMade()
            | e.TaskArchived() | e.ApprovalAsked() | e.ApprovalAnswered() | e.ApprovalWithdrawn() | e.Recalled()
        ):  # fmt: skip
            return task
        case _:
            assert_never(event)
    return Task(task.spec, after, journal)


def _submitted(event: e.Submitted, at_ns: int) -> Task:
    life = TaskStatus(submitted_ns=at_ns, updated_ns=at_ns, recalled=event.recalled)
    if event.fork_of:
        life = waiting(life, at_ns, "fork")
    elif event.after:
        life = waiting(life, at_ns, "dependency")
    elif event.not_before_ns > at_ns:
        life = waiting(life, at_ns, "timer", event.not_before_ns)
    return Task(spec=event, life=life)


def _edited(task: Task, event: e.Edited, at_ns: int) -> Task:
    life = replace(task.life, updated_ns=at_ns)
    if life.status == "waiting" and life.waiting_for == "timer":  # its start time may be another one now
        later = event.not_before_ns > at_ns
        life = waiting(life, at_ns, "timer", event.not_before_ns) if later else pending(life, at_ns)
    spec = as_event(event, e.Submitted)
    return Task(spec, life, task.journal)


def _forked(task: Task, event: e.Forked, at_ns: int) -> Task:
    journal, done = task.journal, 0
    for kept in event.steps:
        if not journal.completed(kept.step):
            done += 1
            journal = journal.extended(
                Entry(kept.step, "completed", at_ns, 0, kept.result, "", kept.took_s, kept.fingerprint)
            )
    if not done:
        return task
    return Task(
        task.spec, replace(task.life, steps_completed=task.life.steps_completed + done, updated_ns=at_ns), journal
    )


def _scheduled(life: TaskStatus, event: e.Scheduled, at_ns: int) -> TaskStatus:
    return replace(
        life,
        status="scheduled",
        node=event.node,
        incarnation=event.incarnation,
        losses=event.losses,
        attempt=event.attempt,
        parked=event.wakes,
        wakes=life.wakes + event.wakes,
        scheduled_ns=at_ns,
        updated_ns=at_ns,
    )


def _completed(life: TaskStatus, event: e.Completed, at_ns: int) -> TaskStatus:
    return replace(
        life,
        status="completed",
        result=event.result,
        error=None,
        undo=None,
        approvals=(),
        progress=1.0,
        completed_ns=at_ns,
        updated_ns=at_ns,
    )


def _interrupted(life: TaskStatus, event: e.Interrupted, at_ns: int) -> TaskStatus:
    lost = life.attempt if event.counted else life.lost
    after = replace(pending(life, at_ns), interruptions=life.interruptions + event.counted, lost=lost)
    if not event.dead:
        return after
    return replace(_ended(after, "dead", at_ns), error=e.TaskError("interrupted", event.reason))


def _attempt_failed(life: TaskStatus, event: e.AttemptFailed, at_ns: int) -> TaskStatus:
    avoid = life.node if event.elsewhere else ""
    allowed = life.max_retries if event.max_retries is None else event.max_retries
    failed = replace(
        life,
        undo=None,
        failures=life.failures + 1,
        interruptions=0,
        error=event.error,
        avoid=avoid,
        max_retries=allowed,
    )
    if event.then == "retry":
        return waiting(failed, at_ns, "retry", event.retry_at_ns)
    if event.then == "blocked":
        text = f"{event.error.kind}: {event.error.message}"
        return replace(no_longer_waiting(failed, at_ns), status="blocked", blocked_reason=text)
    return _ended(failed, event.then, at_ns)


def _ended(life: TaskStatus, status: Status, at_ns: int) -> TaskStatus:
    return replace(no_longer_waiting(life, at_ns), status=status, approvals=(), undo=None, completed_ns=at_ns)


def _retried(task: Task, spec: e.Spec, event: e.Retried, at_ns: int) -> Task:
    asked = spec if event.deadline_ns is None else replace(spec, deadline_ns=event.deadline_ns)
    return Task(asked, _anew(asked, task.life, at_ns), task.journal)


def _anew(spec: e.Spec, life: TaskStatus, at_ns: int) -> TaskStatus:
    afresh = replace(
        pending(life, at_ns),
        failures=0,
        interruptions=0,
        cancel_requested=False,
        undo_requested=False,
        undo=None,
        avoid="",
        completed_ns=0,
    )
    # One that is blocked is let go by a person, whatever has become of the others.
    waits = spec.after and life.attempt == 0 and life.status != "blocked"
    return waiting(afresh, at_ns, "dependency") if waits else afresh
