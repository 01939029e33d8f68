"""The rules of parking: when a run rests in the memory of its node, and what wakes it.

A wake is one commit, `task.ready` with `task.scheduled`, decided from the state alone: the run goes on in its node.
"""

from typing import Final

from clawactors.kernel.errors import Refused
from clawactors.systems.tasks import attemptcommands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.journal import SIGNAL
from clawactors.systems.tasks.task import Task

__all__ = ["UNDONE", "go_on", "loaded_again", "park", "wake"]

UNDONE: Final = "the task's steps are undone, so it can't wait any more: return or raise"
_NEVER_NS: Final = 2**63


def park(command: c.Park, task: Task) -> tuple[e.TaskEvent, ...]:
    """The code does nothing but wait: none where something has come, or it cleans up."""
    life = task.life
    if life.cancel_requested or not command.waits:
        return ()  # what cleans up does not park
    if life.undo is not None:
        raise Refused(UNDONE)
    for wait, taken in command.waits:
        if wait.reason == "signal" and task.journal.count(SIGNAL + wait.name) > taken:
            return ()  # it came while the wait was being written
    waits = tuple(wait for wait, _ in command.waits)
    first = min(waits, key=lambda wait: wait.until_ns or _NEVER_NS)
    all_waits = waits if len(waits) > 1 else ()
    progress = None if command.progress == life.progress else command.progress
    return (e.Waiting(first.reason, first.until_ns, first.name, all_waits, True, command.limited, progress),)


def wake(task: Task) -> tuple[e.TaskEvent, ...]:
    """What follows when something that a waiting task waits for has come: a parked run goes on in its node at once."""
    life = task.life
    if not life.parked or (life.limited and not life.cancel_requested):
        return (e.Readied(),)
    return (e.Readied(), go_on(task))


def loaded_again(task: Task) -> tuple[e.TaskEvent, ...]:
    """Runs the code of a waiting task up to its wait again, where no node has it in memory: so it can answer.

    After a pause it finds what came meanwhile.
    """
    life = task.life
    status = life.resumes_to if life.status == "paused" else life.status
    begun = status == "waiting" and life.tries > 0 and life.waiting_for in ("signal", "timer")
    return (e.Readied(),) if begun and not life.parked else ()


def go_on(task: Task) -> e.Scheduled:
    """Gives a parked run the attempt in which it goes on: its node has all that it needs."""
    life = task.life
    return e.Scheduled(
        node=life.node,
        incarnation=life.incarnation,
        attempt=life.attempt + 1,
        skill=task.spec.skill if task.spec else "",
        losses=life.losses,
        wakes=True,
    )
