"""Undoing: the done steps of a task are undone, the last one first, by the node that runs the task by then.

1. That steps are being undone is on record before the first undo runs; from then on the code of the skill does not run.
2. An undo is recorded before the next one begins: a kill repeats at most the one that ran.
3. An undo that fails is tried again by its policy, then recorded as failed; the others go on.
4. Where the task is to end now, the undo that runs is given up, and each of the others has 5 s.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, Final, override

from clawactors.eventlog import EventLogError
from clawactors.kernel.errors import Refused
from clawactors.runtime.node.attempt.ended import EndedPhase
from clawactors.runtime.node.attempt.phase import StopReason
from clawactors.runtime.node.context import TaskContext
from clawactors.runtime.node.failure import classify
from clawactors.runtime.node.isolation import run_isolated
from clawactors.runtime.node.spawned import current_output
from clawactors.runtime.node.step import find_undo, home_of, undo_arguments
from clawactors.runtime.node.steptime import run, within
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.journal import Entry
from clawactors.systems.tasks.payload import is_reference
from clawactors.systems.tasks.retry import DEFAULT_RETRY

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["UNDO_TIMEOUT_S", "undo_first", "undo_steps", "undone_attempt"]

UNDO_TIMEOUT_S: Final = 300.0
"""How long one try of an undo may take that has no timeout of its own."""

_NOW_S: Final = 5.0

_LOSSES_MAX: Final = 2
"""An undo during which the node was lost so often in a row is given up: it may be what kills nodes."""

undone_attempt: Final[ContextVar["Attempt"]] = ContextVar("undone_attempt")
"""The attempt whose steps are undone, for an undo that makes tasks."""


class _UndoingPhase(EndedPhase):
    """The code is done; what would end an attempt ends the undo at the next step."""

    @override
    def stop(self, reason: StopReason) -> "_UndoingPhase":
        if reason in ("pause", "drain", "crashed", "lost", "superseded"):
            self.reason = reason
        return self

    @property
    def goes_on(self) -> bool:
        """True while nothing ends the undo."""
        return self.reason in (None, "failed", "cancel", "continued")

    async def run(self, attempt: "Attempt") -> None:
        """Undoes what is left to undo and notes the end of the task. Raises: `Refused` where another has taken over."""
        write = partial(attempt.retry_while_unavailable, attempt.journal.flush)
        attempt.note(c.StartTask(attempt.fence))
        await write()
        attempt.values.open_output()
        current_output.set(attempt.values)
        if attempt.assignment.event.interruptions >= _LOSSES_MAX:
            for entry in attempt.journal.entries.to_undo(_failed(attempt))[:1]:
                attempt.note(c.FailUndo(attempt.fence, entry.name, "its node was lost while it was undone"))
        await undo_steps(attempt, write, lambda: self.goes_on)
        if self.goes_on:
            attempt.note(c.EndUndo(attempt.fence))
        elif self.reason in ("drain", "lost"):
            attempt.note(c.Interrupt(attempt.fence, f"node {attempt.fence.node} stops", counted=False))
        await attempt.values.close_output()


def _failed(attempt: "Attempt") -> tuple[str, ...]:
    undo = attempt.journal.ahead.life.undo
    return undo.failed if undo else ()


async def undo_first(attempt: "Attempt") -> None:
    """Undoes the steps of an attempt whose code is done, where that is on record or was noted. Raises: `Refused`."""
    state = attempt.journal.ahead
    if state.life.undo is not None and state.life.status in ("scheduled", "running") and state.fence == attempt.fence:
        phase = attempt.phase = _UndoingPhase(attempt.phase)
        await phase.run(attempt)


async def undo_steps(
    attempt: "Attempt", write: Callable[[], Awaitable[Any]], goes_on: Callable[[], bool] = lambda: True
) -> list[str]:
    """Undoes the steps that are done, one by one; the names of those that could not be undone. Raises: `Refused`."""
    for entry in attempt.journal.entries.to_undo(_failed(attempt)):
        if not goes_on():
            break
        started_s = attempt.clock.monotonic_s()
        error = await _undo_in_time(attempt, entry)
        took_s = round(attempt.clock.monotonic_s() - started_s, 6)
        if error:
            attempt.values.output().note(f"step {entry.name!r} was not undone: {error}", "error", "clawactors.task")
            attempt.note(c.FailUndo(attempt.fence, entry.name, error, took_s))
        else:
            attempt.note(c.Compensate(attempt.fence, entry.name, took_s))
        await write()
    return list(_failed(attempt))


async def _undo_in_time(attempt: "Attempt", entry: Entry) -> str:
    """As `_undo`, for as long as nobody wants the task to end now."""
    limit = attempt.undo_limit = asyncio.timeout(_NOW_S if attempt.journal.ahead.life.cancel_now else None)
    try:
        async with limit:
            return await _undo(attempt, entry)
    except TimeoutError:
        return "it was given up, because the task was to end now"
    finally:
        attempt.undo_limit = None


async def _undo(attempt: "Attempt", entry: Entry) -> str:
    """Undoes one step, with retries; why it could not be undone, "" where it was."""
    skill, undo = attempt.skill, entry.undo
    if skill is None or undo is None:
        return "this node does not have its skill"
    failures = 0
    while True:
        retry = DEFAULT_RETRY
        try:
            step = find_undo(undo.function, home_of(skill))
            retry = step.retry or retry
            made = await _whole(attempt, undo.call)
            result = await _whole(attempt, entry.result)
            work: Any
            if skill.isolate:
                params = {"step": entry.name, "result": result, "made": made}
                work = run_isolated(attempt, TaskContext(attempt), skill, params, undo.function)
            else:
                undone_attempt.set(attempt)
                args, kwargs = undo_arguments(step, home_of(skill), entry.name, result, made)
                work = run(attempt.threads, step.function, args, kwargs)
            await within(step.timeout_s or UNDO_TIMEOUT_S, work, f"undo of {entry.name}")
        except (Exception, SystemExit, KeyboardInterrupt) as raised:
            failure, strategy = classify(raised, skill.errors)
            if strategy in ("give_up", "ask") or failures >= retry.max_retries:
                return attempt.supplies.secrets.hide(failure.message)
        else:
            return ""
        failures += 1
        await asyncio.sleep(retry.wait_after(failures, strategy, attempt.clock.roll()))


async def _whole(attempt: "Attempt", value: Any) -> Any:
    """The value behind a reference. Raises: `Refused` where it is missing."""
    if not is_reference(value):
        return value
    payloads = attempt.supplies.payloads
    try:
        return await attempt.retry_while_unavailable(lambda: payloads.load_payload(value))
    except EventLogError as error:
        raise Refused(f"what it needs can't be loaded: {error}") from None
