"""The timers that a task has open: what it waits for until a time, and the end of its patience."""

from clawactors.kernel.time import iso
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.events import TaskError
from clawactors.systems.tasks.task import OPEN, Task

__all__ = ["DEADLINE", "KINDS", "WAIT", "open_timers", "when_due"]

WAIT = "wait"
"""Goes off when a waiting task goes on: delay, sleep, retry, the patience of a wait for a signal.

One that is pending has it before its start: the record was stamped by a clock that is ahead."""
DEADLINE = "deadline"
"""Goes off when an open task is ended."""
KINDS = (DEADLINE, WAIT)
"""The first one that is due counts."""


def open_timers(task: Task) -> tuple[int | None, int | None]:
    """When its deadline and its wait are over, ns since 1970; None where it has none."""
    life = task.life
    if task.spec is None or life.status not in OPEN:
        return None, None
    deadline_ns = task.spec.deadline_ns or None
    if life.status == "pending":
        return deadline_ns, (task.spec.not_before_ns or None) if life.attempt == 0 else None
    timed = life.status == "waiting" and (life.until_ns > 0 or life.waiting_for in ("timer", "retry"))
    return deadline_ns, life.until_ns if timed else None


def when_due(kind: str, task: Task) -> c.TaskCommand:
    """What follows when this timer of the task goes off."""
    if kind == WAIT:
        return c.Ready()
    at = iso(task.spec.deadline_ns) if task.spec else ""
    return c.Expire(TaskError("timeout", f"its deadline {at} has passed"))
