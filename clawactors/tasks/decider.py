"""The state machine of a task. Numbered rules; `tests/clawactors/tasks/` names them.

1. A change is an event. What is illegal is refused with the reason, and nothing is written.
2. A repeat is quiet, a contradiction is refused.
3. What a node says counts only with the fence of the attempt that runs now.
4. A completed step is never completed again.
5. An ended task changes only by `Retry` and `Archive`.
6. Losing nodes uses up no user retries; five counted losses in a row without a new step make it `dead`.
"""

from typing import Any, assert_never

from msgspec.structs import asdict, replace

from clawactors.decider import Decider
from clawactors.errors import Refused
from clawactors.tasks import commands as c
from clawactors.tasks import events as e
from clawactors.tasks.journal import Entry
from clawactors.tasks.task import FINAL, MAX_INTERRUPTIONS, Life, Status, Task

__all__ = ["TASK", "decide", "evolve"]


def decide(command: c.TaskCommand, task: Task) -> tuple[e.TaskEvent, ...]:
    """The events that the command leads to in this state, none for a repeat. Raises `Refused`."""
    if isinstance(command, c.Submit):
        return _submit(command, task)
    if task.spec is None:
        raise Refused("there is no such task")
    status = task.life.status
    if status == "archived":
        raise Refused("the task is archived")
    match command:
        case c.Ready():
            return (e.Readied(),) if status == "waiting" else ()
        case c.Schedule():
            return _schedule(command, task, task.spec)
        case c.Cancel():
            return _cancel(command, task)
        case c.Interrupt():
            return _interrupt(command, task)
        case c.Retry():
            return _retry(command, task)
        case c.Pause():
            _open(task, "be paused")
            return () if status == "paused" else (e.Paused(command.by),)
        case c.Resume():
            _open(task, "be resumed")
            return (e.Resumed(),) if status == "paused" else ()
        case c.Block():
            return _block(command, task)
        case c.Unblock():
            _open(task, "be unblocked")
            return (e.Unblocked(),) if status == "blocked" else ()
        case c.Signal():
            _open(task, "take a signal")
            return (e.Signalled(command.name, command.payload),)
        case c.Archive():
            if status not in FINAL:
                raise Refused(f"the task is {status}; only an ended task can be archived")
            return (e.Archived(),)
        case _:
            return _of_node(command, task)


def _submit(command: c.Submit, task: Task) -> tuple[e.TaskEvent, ...]:
    spec = command.spec
    if task.spec is None:
        return (e.Submitted(**{name: getattr(spec, name) for name in e.Spec.__struct_fields__}),)
    if asdict(task.spec) != asdict(spec):
        differing = next(n for n in e.Spec.__struct_fields__ if getattr(task.spec, n) != getattr(spec, n))
        raise Refused(f"the id is taken by a task with another {differing}; choose another id")
    return ()


def _schedule(command: c.Schedule, task: Task, spec: e.Spec) -> tuple[e.TaskEvent, ...]:
    life = task.life
    if life.status != "pending":
        raise Refused(f"the task is {life.status}, not pending")
    return (
        e.Scheduled(
            node=command.node,
            incarnation=command.incarnation,
            attempt=life.attempt + 1,
            skill=spec.skill,
            params=spec.params,
            timeout_s=spec.timeout_s,
            max_retries=spec.max_retries,
            failures=life.failures,
            interruptions=life.interruptions,
        ),
    )


def _cancel(command: c.Cancel, task: Task) -> tuple[e.TaskEvent, ...]:
    life = task.life
    if life.status == "cancelled":
        return ()
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


def _retry(command: c.Retry, task: Task) -> tuple[e.TaskEvent, ...]:
    match task.life.status:
        case "failed" | "dead" | "cancelled" | "blocked":
            return (e.Retried(command.by),)
        case "completed":
            raise Refused("the task is completed; submit it again under another id")
        case status:
            raise Refused(f"the task is {status}, so it is still going; only an ended or blocked task can be retried")


def _block(command: c.Block, task: Task) -> tuple[e.TaskEvent, ...]:
    if command.fence is not None:
        _fenced(task, command.fence)
    _open(task, "be blocked")
    return () if task.life.status == "blocked" else (e.Blocked(command.reason),)


def _of_node(
    command: c.Start
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
        _running(task, command.fence, or_scheduled=isinstance(command, c.Start | c.Return | c.ConfirmCancel))
    match command:
        case c.Start():
            return (e.Started(),) if status == "scheduled" else ()
        case c.Return():
            if status == "running":
                raise Refused("the task is running already")
            return (e.Returned(command.reason),)
        case c.StartStep():
            _not_done(task, command.step)
            return (e.StepStarted(command.step),)
        case c.CompleteStep():
            _not_done(task, command.step)
            return (e.StepCompleted(command.step, command.result, command.took_s, command.progress),)
        case c.FailStep():
            _not_done(task, command.step)
            return (e.StepFailed(command.step, command.error, command.took_s),)
        case c.Compensate():
            if not task.journal.completed(command.step):
                raise Refused(f"step {command.step!r} is not completed, so there is nothing to undo")
            return (e.StepCompensated(command.step, command.took_s),)
        case c.Wait():
            return (e.Waiting(command.reason, command.until_ns, command.name),)
        case c.Fail():
            failed = e.AttemptFailed(error=command.error, then=command.then, retry_at_ns=command.retry_at_ns)
            # A cancelled task does not come back for a retry.
            if task.life.cancel_requested and command.then == "retry":
                return (replace(failed, then="failed", retry_at_ns=0),)
            return (failed,)
        case c.Complete():
            return (e.Completed(command.result),)
        case c.ConfirmCancel():
            if not task.life.cancel_requested:
                raise Refused("nobody asked for a cancel")
            return (e.Cancelled(),)
        case _:
            assert_never(command)


def _open(task: Task, wish: str) -> None:
    if task.life.status in FINAL:
        raise Refused(f"the task is {task.life.status}; an ended task can't {wish}")


def _fenced(task: Task, fence: e.Fence) -> None:
    if task.fence != fence:
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


def evolve(task: Task, event: e.TaskEvent, at_ns: int) -> Task:
    """The state after the event; the same object where the event is illegal in this state."""
    life = task.life
    if isinstance(event, e.Submitted):
        return task if task.exists else _submitted(event, at_ns)
    if not task.exists:
        return task
    after = _life_after(task, event, at_ns)
    if after is None:
        return task
    entry = _entry(event, at_ns, life.attempt)
    return replace(task, life=after, journal=task.journal if entry is None else task.journal.extended(entry))


def _submitted(event: e.Submitted, at_ns: int) -> Task:
    life = Life(submitted_ns=at_ns, updated_ns=at_ns)
    if event.after:
        life = replace(life, status="waiting", waiting_for="dependency")
    elif event.not_before_ns > at_ns:
        life = replace(life, status="waiting", waiting_for="timer", until_ns=event.not_before_ns)
    return Task(spec=event, life=life)


def _entry(event: e.TaskEvent, at_ns: int, attempt: int) -> Entry | None:
    match event:
        case e.StepStarted():
            return Entry(event.step, "running", at_ns, attempt)
        case e.StepCompleted():
            return Entry(event.step, "completed", at_ns, attempt, result=event.result, took_s=event.took_s)
        case e.StepFailed():
            return Entry(event.step, "failed", at_ns, attempt, error=event.error, took_s=event.took_s)
        case e.StepCompensated():
            return Entry(event.step, "compensated", at_ns, attempt, took_s=event.took_s)
        case _:
            return None


_IDLE: dict[str, Any] = {"waiting_for": None, "until_ns": 0, "waiting_name": "", "node": "", "incarnation": ""}


def _life_after(task: Task, event: e.TaskEvent, at_ns: int) -> Life | None:
    """The life after the event, None where it is illegal: this match is the transition table."""
    life, journal = task.life, task.journal
    status: Status = life.status
    running = status == "running"
    is_open = status not in FINAL
    match event:
        case e.Readied() if status == "waiting":
            return replace(life, **_IDLE, status="pending", updated_ns=at_ns)
        case e.Scheduled() if status == "pending" and event.attempt == life.attempt + 1:
            return replace(
                life,
                status="scheduled",
                node=event.node,
                incarnation=event.incarnation,
                attempt=event.attempt,
                scheduled_ns=at_ns,
                updated_ns=at_ns,
            )
        case e.Started() if status == "scheduled":
            return replace(life, status="running", started_ns=life.started_ns or at_ns, updated_ns=at_ns)
        case e.Returned() if status == "scheduled":
            return replace(life, **_IDLE, status="pending", updated_ns=at_ns)
        case e.StepStarted() if running and not journal.completed(event.step):
            return replace(life, updated_ns=at_ns)
        case e.StepCompleted() if (running or status == "paused") and not journal.completed(event.step):
            return replace(
                life,
                steps_completed=life.steps_completed + 1,
                progress=life.progress if event.progress is None else event.progress,
                interruptions=0,
                updated_ns=at_ns,
            )
        case e.StepFailed() if running and not journal.completed(event.step):
            return replace(life, updated_ns=at_ns)
        case e.StepCompensated() if running and journal.completed(event.step):
            return replace(life, steps_completed=life.steps_completed - 1, updated_ns=at_ns)
        case e.Waiting() if running:
            return replace(
                life,
                **(
                    _IDLE
                    | {"waiting_for": event.reason, "until_ns": event.until_ns, "waiting_name": event.name}
                    | {"status": "waiting", "updated_ns": at_ns}
                ),
            )
        case e.Interrupted() if status in ("scheduled", "running"):
            return replace(
                life,
                **_IDLE,
                status="dead" if event.dead else "pending",
                interruptions=life.interruptions + event.counted,
                error=e.TaskError("interrupted", event.reason) if event.dead else life.error,
                completed_ns=at_ns if event.dead else 0,
                updated_ns=at_ns,
            )
        case e.AttemptFailed() if running:
            return _attempt_failed(life, event, at_ns)
        case e.Completed() if running:
            return replace(
                life, status="completed", result=event.result, error=None, progress=1.0, completed_ns=at_ns,
                updated_ns=at_ns,
            )  # fmt: skip
        case e.CancelRequested() if is_open and not life.cancel_requested:
            return replace(life, cancel_requested=True, updated_ns=at_ns)
        case e.Cancelled() if is_open and life.cancel_requested:
            return replace(life, status="cancelled", completed_ns=at_ns, updated_ns=at_ns)
        case e.Paused() if is_open and status != "paused":
            # A run ends with the pause (its completed steps stay), so it comes back as pending.
            resumes_to: Status = "pending" if status in ("scheduled", "running") else status
            return replace(life, status="paused", resumes_to=resumes_to, updated_ns=at_ns)
        case e.Resumed() if status == "paused":
            return replace(life, status=life.resumes_to, node="", incarnation="", updated_ns=at_ns)
        case e.Blocked() if is_open and status != "blocked":
            return replace(life, status="blocked", blocked_reason=event.reason, updated_ns=at_ns)
        case e.Unblocked() if status == "blocked":
            return replace(life, **_IDLE, status="pending", blocked_reason="", updated_ns=at_ns)
        case e.Retried() if status in ("failed", "dead", "cancelled", "blocked"):
            return replace(
                life,
                **_IDLE,
                status="pending",
                failures=0,
                interruptions=0,
                cancel_requested=False,
                blocked_reason="",
                completed_ns=0,
                updated_ns=at_ns,
            )
        case e.Signalled() if is_open:
            return replace(life, signals=(*life.signals, event), updated_ns=at_ns)
        case e.Archived() if not is_open and status != "archived":
            return replace(life, status="archived", updated_ns=at_ns)
        case _:
            return None


def _attempt_failed(life: Life, event: e.AttemptFailed, at_ns: int) -> Life:
    failed = replace(life, failures=life.failures + 1, interruptions=0, error=event.error, updated_ns=at_ns)
    if event.then == "retry":
        waiting = _IDLE | {"status": "waiting", "waiting_for": "retry", "until_ns": event.retry_at_ns}
        return replace(failed, **waiting)
    return replace(failed, status=event.then, completed_ns=at_ns)


def _is_final(task: Task) -> bool:
    return task.life.status in FINAL


TASK: Decider[c.TaskCommand, Task, e.TaskEvent] = Decider("task", Task(), decide, evolve, _is_final)
