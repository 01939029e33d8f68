"""Recovery: a skill's own `recover` is asked before the code of a task goes on whose node was lost.

1. It is asked once a loss; where that attempt is lost too, it is asked again and finds the steps that it has recorded.
2. It takes steps, whose names are its own, and returns or raises; it neither waits nor makes children.
3. What it raises is a failure of the attempt, as if the code had raised it.
"""

import contextlib
import inspect
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.naming import StepNames
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.journal import RECOVERY
from clawactors.systems.tasks.lost import LostWork, lost_work

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt
    from clawactors.runtime.node.bridge import Bridge
    from clawactors.runtime.node.context import TaskContext
    from clawactors.runtime.node.synccontext import SyncTaskContext

__all__ = ["begin_recovery", "end_recovery", "recover_async", "recover_sync"]


def begin_recovery(attempt: "Attempt") -> LostWork | None:
    """What the attempt has to ask its skill about before its code goes on; None where there is nothing."""
    if attempt.skill is None or attempt.skill.recover is None or not attempt.assignment.is_resumed:
        return None
    attempt.recovers = lost_work(attempt.journal.state)
    return attempt.recovers


async def end_recovery(attempt: "Attempt") -> None:
    """The skill was asked, and the code may go on: on record with what the code does next."""
    attempt.check()
    lost, attempt.recovers = attempt.recovers, None
    if lost is not None:
        attempt.note(c.CompleteStep(attempt.fence, f"{RECOVERY}{lost.number}"))


async def recover_async(
    attempt: "Attempt", context: "TaskContext", lost: LostWork, code: Callable[[], Coroutine[Any, Any, Any]]
) -> Any:
    """Asks the skill, then runs its code. Raises: what either raises."""
    skill = attempt.skill
    if skill is not None and skill.recover is not None:
        with _named(attempt.steps.names, lost):
            said = skill.recover(context, lost)
            _check(await said if inspect.isawaitable(said) else said)
        await end_recovery(attempt)
    return await code()


def recover_sync(handle: "SyncTaskContext", bridge: "Bridge", recover: Callable[..., Any], lost: LostWork) -> None:
    """As `recover_async`, in the thread or the process of the code, and without the code."""
    with _named(handle.names, lost):
        _check(recover(handle, lost))
    bridge.recovered()


@contextlib.contextmanager
def _named(names: StepNames, lost: LostWork) -> Iterator[None]:
    names.prefix = f"{RECOVERY}{lost.number}/"
    try:
        yield
    finally:
        names.prefix = ""


def _check(said: object) -> None:
    if said is not None:
        raise Refused(f"recover returns nothing, or raises, and this one returned {repr(said)[:40]}")
