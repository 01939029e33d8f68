"""Ended: the code is done or left behind; what remains is to record how."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final, override

from clawactors.eventlog import TooLarge
from clawactors.kernel.errors import Refused
from clawactors.runtime.node.attempt.phase import Phase, StopReason
from clawactors.runtime.node.code import TaskSuspended
from clawactors.runtime.node.failure import classify
from clawactors.systems.skills.returns import JSON
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.retry import Verdict, after_failure

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["EndedPhase", "log_failure", "note_failure", "note_result"]


_WHY: Final[dict[StopReason, str]] = {
    "drain": "stops",
    "lost": "was believed dead",
    "crashed": "lost its worker",
    "unpark": "keeps as many parked tasks as it may",
}
"""What is said of the node that gives a task back."""


class EndedPhase(Phase):
    """Nothing runs any more; nothing stops it."""

    is_stopping: ClassVar[bool] = True

    def __init__(self, before: Phase) -> None:
        self.reason, self.error = before.reason, before.error

    @override
    def stop(self, reason: StopReason) -> Phase:
        return self

    async def record(self, attempt: "Attempt", undo: Callable[["Attempt"], Awaitable[None]]) -> None:
        """Undoes steps where that comes first; returns when the end is durable, or another attempt has taken over."""
        if self.reason in ("superseded", "pause"):
            return
        _note_stop(attempt, self.reason)
        journal = attempt.journal
        try:
            await undo(attempt)
            await attempt.retry_while_unavailable(journal.flush)
            await undo(attempt)  # a cancel may have come at the last moment
            await attempt.retry_while_unavailable(journal.flush)
        except Refused:
            pass  # another attempt has taken over, or the task has ended: its record stands
        except TooLarge as error:
            note_failure(attempt, ValueError(f"what this attempt would record is too large: {error}"))
            await attempt.retry_while_unavailable(journal.flush)


async def note_result(attempt: "Attempt", result: Any) -> None:
    """Notes what the code returned, unless it was stopped for a reason that takes precedence over a result."""
    returns = attempt.skill.returns if attempt.skill else JSON
    record = (await attempt.values.encode_result(result, "the skill", returns))[1]
    phase = attempt.phase
    goes_on_elsewhere = phase.reason == "drain" and attempt.code_was_told
    if phase.reason in (None, "drain") and phase.error is None and not goes_on_elsewhere:
        attempt.journal.note(c.Complete(attempt.fence, record))
    else:
        note_failure(attempt, TaskSuspended())


def log_failure(attempt: "Attempt", error: Exception) -> None:
    """Says in the task's log what its code raised, with the traceback."""
    if attempt.phase.reason is None and attempt.phase.error is None:
        failure, _ = classify(error, attempt.skill.errors if attempt.skill else ())
        text = failure.traceback or failure.message
        attempt.values.output().note(text.rstrip(), "error", "clawactors.task")


def note_failure(attempt: "Attempt", error: BaseException) -> None:
    """Notes how the attempt failed, unless something else is to be recorded. Raises: the error where that is no end."""
    phase, skill = attempt.phase, attempt.skill
    if phase.reason not in (None, "failed"):
        return
    state, event = attempt.journal.ahead, attempt.assignment.event
    if state.life.status != "running" or state.fence != attempt.fence:
        if isinstance(error, asyncio.CancelledError):
            return  # it was suspended, and has noted that
        if not isinstance(error, Refused | TaskSuspended):
            raise error
        attempt.stop("superseded")
        return
    failure, strategy = classify(phase.error or error, skill.errors if skill else ())
    hide = attempt.supplies.secrets.hide
    failure = e.TaskError(failure.kind, hide(failure.message), hide(failure.traceback))
    verdict = Verdict("failed")
    if skill is not None:
        verdict = after_failure(
            attempt.supplies.retry_of(skill),
            strategy,
            state.life.failures,
            event.max_retries,
            attempt.context.time.now_ns(),
            attempt.clock.roll(),
            skill.on_failure,
        )
    then = (verdict.then, verdict.retry_at_ns, verdict.elsewhere, verdict.max_retries)
    attempt.journal.note(c.Fail(attempt.fence, failure, *then))


def _note_stop(attempt: "Attempt", reason: StopReason | None) -> None:
    """Notes why the code was stopped; refused where the attempt was just suspended, and that is noted already."""
    with contextlib.suppress(Refused):
        if reason == "cancel":
            attempt.journal.note(c.ConfirmCancel(attempt.fence))
        elif reason == "continued":
            taken = attempt.signals.had.counts
            attempt.journal.note(c.ContinueRun(attempt.fence, attempt.next_params, taken))
        elif reason == "crashed" and not attempt.journal.ahead.life.parked:
            attempt.journal.note(c.Interrupt(attempt.fence, attempt.crashed_by))
        elif reason in _WHY:
            why = attempt.crashed_by or f"node {attempt.fence.node} {_WHY[reason]}"
            if left := attempt.parking.left:
                attempt.journal.note(c.Park(attempt.fence, left))
            if attempt.journal.ahead.life.parked:
                attempt.journal.note(c.Unpark(attempt.fence, why))
            else:
                attempt.journal.note(c.Interrupt(attempt.fence, why, counted=False))
