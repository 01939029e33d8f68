"""Calls of the context for tasks that live long: new runs, changes of their code, questions to them."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from clawactors.runtime.node.runs import continue_run, own_params
from clawactors.runtime.node.taskfile import FileCalls, SyncFileCalls
from clawactors.systems.skills import SkillCall

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt
    from clawactors.runtime.node.bridge import Bridge

__all__ = ["LongLife", "SyncLongLife", "record_at_once", "run_of"]


class LongLife(FileCalls):
    """For async code."""

    def __init__(self, attempt: "Attempt") -> None:
        self._attempt = attempt

    async def continue_as(self, params: Mapping[str, Any] | SkillCall[Any]) -> NoReturn:
        """Ends this run of the task and begins the next one, with these parameters and an empty journal.

        The id stays, and so do signals that were not taken, the deadline, and all who wait for the result. Steps,
        waits and retries begin anew. Call it in the main branch of the code: other branches end where they await.
        Raises: `TaskSuspended` always, so that nothing after it runs; `Refused` (parameters that don't fit the skill,
        a task that is being cancelled or undone).
        """
        attempt = self._attempt
        await continue_run(attempt, own_params(attempt.skill.name if attempt.skill else "", params))

    def patched(self, id: str) -> bool:
        """True where this run has the change of the code that is named so, False where it began before the change.

        A run that comes here for the first time has it. One that has recorded steps or waits beyond this place
        does not. The answer is the same for all of the run, on every resume. A name stands for one change for ever.
        Raises: `Refused` (no name).
        """
        return self._attempt.patches.has(id)

    def answer(self, name: str, function: Callable[..., Any]) -> None:
        """From now on the function answers `Ref.ask(name, …)`, also while the code waits; it replaces an earlier one.

        It may be async, gets the arguments of who asks, each as it is annotated, and returns what JSON can hold. It
        reads, and changes nothing: calls of the task that are recorded are refused in it. Raises: `Refused` (no name).
        """
        self._attempt.answers.add(name, function)


class SyncLongLife(SyncFileCalls):
    """For sync code."""

    _bridge: "Bridge"

    def continue_as(self, params: Mapping[str, Any] | SkillCall[Any]) -> NoReturn:
        """As `TaskContext.continue_as`."""
        self._bridge.call("continue_as", own_params(self._bridge.skill, params))
        raise AssertionError("the call always raises")

    def patched(self, id: str) -> bool:
        """As `TaskContext.patched`."""
        return self._bridge.call("patched", id)  # type: ignore[no-any-return]

    def answer(self, name: str, function: Callable[..., Any]) -> None:
        """As `TaskContext.answer`; the function runs in a thread of its own. Not for isolated skills."""
        self._bridge.answer(name, function)


def run_of(context: LongLife) -> int:
    """The number of the task's run; `continue_as` begins the next one, whose steps have the same names again."""
    return context._attempt.journal.state.life.run


def record_at_once(context: LongLife) -> None:
    """From here on each step is on record before the code goes on, also in the first moments of an attempt."""
    context._attempt.journal.gathers = False
