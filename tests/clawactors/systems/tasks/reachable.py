"""The states that commands can bring a task into, up to what makes no difference to the rules."""

from collections.abc import Iterator
from functools import cache
from itertools import combinations
from typing import Any, get_args

from clawactors.kernel.errors import Refused
from clawactors.systems.tasks import TASK, Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.approvalevents import Approval
from clawactors.systems.tasks.approvals import answer_in
from clawactors.systems.tasks.children import ChildEnd
from clawactors.systems.tasks.stepevents import Undo
from tests.clawactors.systems.tasks.vocabulary import ERROR

__all__ = ["NOW_NS", "commands", "events", "states"]

NOW_NS = 1000
_SPECS = (
    e.Spec(skill="echo"),
    e.Spec(skill="echo", not_before_ns=NOW_NS + 1),
    e.Spec(skill="echo", after=("t-0",), not_before_ns=NOW_NS + 1),
    e.Spec(skill="echo", fork_of="t-8", fork_step="copy"),
)
_ZOMBIE = e.Fence("n0", "i0", 0)


def commands(task: Task) -> Iterator[c.TaskCommand]:
    """All that anybody could ask of the task: every command, with the right fence and with a wrong one."""
    yield from (c.Submit(spec) for spec in _SPECS)
    yield from (c.Admit(spec, "n1", "i1") for spec in _SPECS)
    yield from (c.Ready(), c.ScheduleTask("n1", "i1"), c.Cancel(), c.Cancel("ada", undo=True), c.Cancel(now=True))
    yield from (c.Pause(), c.Resume(), c.Block("why"), c.Unblock())
    yield from (c.Await(), c.Block("a is dead", waits_for="dependency"))
    yield from (
        c.RetryTask(),
        c.RetryTask("", NOW_NS, NOW_NS + 9),
        c.Signal("go"),
        c.ArchiveTask(),
        c.ArchiveTask("f-1", 1),
        c.Delete(),
        c.Expire(ERROR),
        c.NoteFork("t-9", "copy"),
        c.AnswerApproval("sure", approved=True, by="client/ada"),
        c.NoteChildren((ChildEnd("c-1", 7, "completed", 1),)),
    )
    yield from (
        c.Inherit((e.InheritedStep("copy"),)),
        c.Inherit((e.InheritedStep("copy"), e.InheritedStep("count")), last=True),
        c.Inherit(()),
    )
    yield from (c.Edit(_edited(task, not_before_ns=start_ns)) for start_ns in (0, NOW_NS + 9))
    for fence in (task.fence, _ZOMBIE):
        yield from (c.StartTask(fence), c.Return(fence), c.StartStep(fence, "copy"), c.CompleteStep(fence, "copy"))
        yield c.CompleteStep(fence, "sell", undo=Undo(":buy", auto=True))
        yield from (
            c.FailUndo(fence, "sell", "no"),
            c.BeginUndo(fence, ERROR),
            c.EndUndo(fence),
            c.Compensate(fence, "sell"),
        )
        yield from (c.FailStep(fence, "copy", "oops"), c.Compensate(fence, "copy"), c.Complete(fence))
        yield from (c.Wait(fence, "timer", NOW_NS + 5), c.Wait(fence, "signal"), c.Wait(fence, "dependency"))
        waits = ((e.DurableWait("signal", name="go"), 0), (e.DurableWait("timer", NOW_NS + 5), 0))
        yield from (c.Park(fence, waits), c.Park(fence, waits[1:], limited=True), c.Wake(fence), c.Unpark(fence))
        yield from (c.Interrupt(fence, "gone"), c.Interrupt(fence, "stops", counted=False))
        yield from (c.Fail(fence, ERROR, then, NOW_NS + 5) for then in get_args(e.Outcome.__value__))
        yield from (
            c.AskApproval(fence, Approval(name="sure", question="?")),
            c.NoteRecalled(fence, ("m-1",)),
            c.AnswerApproval("sure", False, fence=fence),
            c.WithdrawApproval(fence, "sure"),
        )
        yield from (c.ConfirmCancel(fence), c.Block("why", fence))
        yield from (c.ContinueRun(fence, {"run": 2}), c.ContinueRun(fence, {}, {"go": 1}))


def _edited(task: Task, **changes: Any) -> e.Spec:
    asked = task.spec or _SPECS[0]
    return e.Spec(**{name: getattr(asked, name) for name in e.Spec.__struct_fields__} | {"priority": 4} | changes)


def events(task: Task) -> Iterator[e.TaskEvent]:
    """One event or more of every type, with contents that fit the task and with others that do not."""
    yield from (e.Submitted(skill="echo"), e.Submitted(skill="echo", after=("t-0",)), e.Readied(), e.Started())
    for attempt in (0, 1, task.life.attempt, task.life.attempt + 1, 2**62):
        yield e.Scheduled(node="n1", incarnation="i1", attempt=attempt, skill="echo")
    yield from (e.StepStarted("copy"), e.StepFailed("copy"), e.StepCompensated("copy"), e.StepCompleted("copy"))
    yield from (
        e.StepCompleted("copy", {"rows": 1}, -1.0, 1e300),
        e.Returned(),
        e.Waiting("timer"),
        e.Waiting("signal"),
        e.Waiting("timer", 9, parked=True),
        e.Unparked(),
        e.CancelRequested("", now=True),
    )
    yield from (
        e.StepCompleted("sell", undo=Undo(":buy", auto=True)),
        e.StepCompensated("sell"),
        e.StepUndoFailed("sell"),
    )
    yield from (e.CancelRequested("ada", undo=True), *(e.Compensating(then) for then in get_args(e.UndoEnd.__value__)))
    for counted in (True, False):
        yield from (e.Interrupted("gone", counted), e.Interrupted("gone", counted, dead=True))
    for then in get_args(e.Outcome.__value__):
        yield e.AttemptFailed(error=ERROR, then=then)
    for run in (0, task.life.run, task.life.run + 1, 2**62):
        yield from (e.Continued(run=run), e.Continued(run=run, params={"a": 1}, taken={"go": 2**62}, idle=True))
    yield from (e.Completed(), e.CancelRequested(), e.Cancelled(), e.Paused(), e.Resumed(), e.Blocked("why"))
    yield from (e.Blocked("a is dead", "dependency"), e.Waiting("dependency"))
    yield from (
        e.Unblocked(),
        e.Retried("", NOW_NS + 9),
        e.Retried(),
        e.Signalled("go"),
        e.TaskArchived(),
        e.TaskArchived(file="f-1", first=1, skill="echo"),
        e.Deleted(),
        e.Expired(ERROR),
    )
    yield from (e.Edited(skill="echo"), e.Edited(skill="echo", not_before_ns=NOW_NS + 9))
    yield from (
        e.Forked(()),
        e.Forked((e.InheritedStep("copy", 1, -1.0), e.InheritedStep("copy"), e.InheritedStep("count"))),
        e.ForkMade("t-9", "copy"),
        e.ApprovalAsked(name="sure", question="?"),
        e.ApprovalAnswered("sure", approved=True),
        e.ApprovalWithdrawn("sure"),
        e.Recalled(("m-1",)),
    )


def _what_matters(task: Task) -> tuple[object, ...]:
    life, copy, sell = task.life, task.journal.last("copy"), task.journal.last("sell")
    return (
        task.spec is not None and (life.status != "waiting" or task.spec.not_before_ns),
        life.status,
        life.cancel_requested,
        life.waiting_for,
        life.until_ns > 0,
        life.node,
        life.parked,
        life.limited,
        min(life.attempt, 1),
        task.spec is not None and task.spec.after != () and life.attempt == 0,
        life.interruptions,
        life.resumes_to if life.status == "paused" else "",
        copy.status if copy else "",
        len(life.approvals),
        answer_in(task, "sure") is not None,
        life.undo is not None,
        life.undoable > 0 and life.undo_requested,
        sell is not None and sell.status == "undo_failed",
    )


@cache
def states(together: int = 0) -> list[Task]:
    """One state of each sort, the first before anything was asked; 17,500, and they grow.

    With `together`, only those that show so many of the things that matter together for the first time.
    """
    tried, found, todo = {_what_matters(Task())}, [Task()], [Task()]
    shown = _Shown(together)
    while todo:
        task = todo.pop()
        for command in commands(task):
            try:
                decided = TASK.decide(command, task)
            except Refused:
                continue
            after = task
            for event in decided:
                after = TASK.evolve(after, event, NOW_NS)
            sort = _what_matters(after)
            if sort not in tried:
                tried.add(sort)
                if shown.is_first(sort):
                    found.append(after)
                    todo.append(after)
    return found


class _Shown:
    """Which things were seen together so far."""

    def __init__(self, together: int) -> None:
        self._together, self._known = together, set[tuple[tuple[int, object], ...]]()

    def is_first(self, sort: tuple[object, ...]) -> bool:
        if not self._together:
            return True
        before = len(self._known)
        self._known.update(combinations(enumerate(sort), self._together))
        return len(self._known) > before
