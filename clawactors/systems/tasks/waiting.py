"""How the life of a task changes when it begins to wait, and when it waits no longer."""

from typing import Final

from msgspec.structs import replace

from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.task import TaskStatus

__all__ = ["no_longer_waiting", "pending", "ready", "waiting", "with_run"]

_REMEMBERED: Final = 64


def no_longer_waiting(life: TaskStatus, at_ns: int) -> TaskStatus:
    """It waits for nothing."""
    if life.parked:  # whatever ends the wait but what it waits for ends the run that is kept
        life = replace(life, node="", incarnation="", parked=False)
    return replace(life, waiting_for=None, until_ns=0, waiting_name="", waits=(), updated_ns=at_ns)


def waiting(life: TaskStatus, at_ns: int, reason: e.WaitReason, until_ns: int = 0, name: str = "") -> TaskStatus:
    """It waits for that, and holds no slot."""
    return replace(
        life,
        status="waiting",
        waiting_for=reason,
        until_ns=until_ns,
        waiting_name=name,
        node="",
        incarnation="",
        blocked_reason="",
        waits=(),
        parked=False,
        limited=False,
        updated_ns=at_ns,
    )


def with_run(after: TaskStatus, life: TaskStatus, event: e.Waiting) -> TaskStatus:
    """It waits for several things, or its node keeps the run."""
    if not event.parked:
        return replace(after, waits=event.waits)
    waits = event.waits or (e.DurableWait(event.reason, event.until_ns, event.name),)
    names = [wait.name for wait in waits if wait.name and wait.name not in life.waited]
    return replace(
        after,
        waits=event.waits,
        parked=True,
        limited=event.limited,
        progress=life.progress if event.progress is None else event.progress,
        node=life.node,
        incarnation=life.incarnation,
        losses=life.losses,
        waited=(*life.waited, *names)[-_REMEMBERED:] if names else life.waited,
    )


def ready(life: TaskStatus, at_ns: int) -> TaskStatus:
    """It may go on; a parked one stays its node's."""
    if not life.parked:
        return pending(life, at_ns)
    return replace(life, status="pending", waiting_for=None, until_ns=0, waiting_name="", waits=(), updated_ns=at_ns)


def pending(life: TaskStatus, at_ns: int) -> TaskStatus:
    """It can be given to any node."""
    return replace(no_longer_waiting(life, at_ns), status="pending", node="", incarnation="", blocked_reason="")
