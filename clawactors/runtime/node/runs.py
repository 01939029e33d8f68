"""Runs: how the code of a task ends one and begins the next.

1. That a run has ended is one event, recorded when all that its code started has ended: a kill before it replays the
   old run, a kill after it begins the new one.
2. A signal that the code has had is not there for the next run; one that it only waited for is.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.code import GRACE_S, TaskSuspended
from clawactors.runtime.node.codetasks import outside_run
from clawactors.systems.skills import SkillCall
from clawactors.systems.tasks.parking import UNDONE
from clawactors.systems.tasks.submission import spec_of

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["SignalsHad", "continue_run", "own_params"]


class SignalsHad:
    """How many signals of each name the code has had, one after the other from the first."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._beyond: dict[str, set[int]] = {}

    def add(self, name: str, number: int) -> None:
        """It has this one, counted from 0; side by side, a later one may come before an earlier one."""
        count = self.counts.get(name, 0)
        if number != count:
            self._beyond.setdefault(name, set()).add(number)
            return
        count += 1
        beyond = self._beyond.get(name, set())
        while count in beyond:
            beyond.remove(count)
            count += 1
        self.counts[name] = count


def own_params(skill: str, given: Mapping[str, Any] | SkillCall[Any]) -> Mapping[str, Any]:
    """The parameters of the next run. Raises: `Refused` where they are those of another skill."""
    if not isinstance(given, SkillCall):
        return given
    if given.skill != skill:
        raise Refused(f"a task goes on with its own skill {skill!r}: run {given.skill!r} as a child, by task.run")
    return given.params


@outside_run
async def continue_run(attempt: "Attempt", params: Mapping[str, Any]) -> NoReturn:
    """See `TaskContext.continue_as`."""
    await attempt.parking.at_work("task.continue_as")
    attempt.check()
    if attempt.is_stopping:
        raise Refused("the task is being cancelled, so it can't go on with another run: clean up and return")
    if attempt.journal.ahead.life.undo is not None:
        raise Refused(UNDONE)
    skill = attempt.skill
    spec = spec_of(skill.name if skill else "", params)
    if skill is not None:
        skill.arguments(spec.params)
    spec = await attempt.retry_while_unavailable(lambda: attempt.supplies.payloads.offload_payload(spec))
    if attempt.assignment.is_resumed:
        await attempt.steps.close()
    attempt.check()
    attempt.next_params = dict(spec.params)
    attempt.stop("continued")
    if (code := attempt.phase.code) is not None:
        if attempt.tasks.current().path:
            code.cancel(suspends=True)  # the main branch may wait for anything
        else:
            code.expect_end(GRACE_S)
    raise TaskSuspended
