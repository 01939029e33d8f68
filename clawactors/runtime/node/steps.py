"""The steps and sleeps of a task's code.

1. A step that is recorded as completed returns the recorded result; it never runs again.
2. The task is blocked, since the journal does not fit the code, when a step name is used twice, when the record is of
   another call, or when the call is recorded under a name that the code no longer uses. Other unused records are
   logged.
"""

import asyncio
import inspect
import logging
import sys
from typing import TYPE_CHECKING, Any, Final

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.attempt.files import in_step
from clawactors.runtime.node.attempt.running import write_beside
from clawactors.runtime.node.attempt.undoing import undo_steps
from clawactors.runtime.node.code import TaskSuspended, as_exception
from clawactors.runtime.node.codetasks import in_run, outside_run
from clawactors.runtime.node.failure import classify, message_of
from clawactors.runtime.node.fingerprint import difference, tells_apart
from clawactors.runtime.node.naming import StepNames
from clawactors.runtime.node.patches import WAY_OUT
from clawactors.runtime.node.sleep import SLEEP
from clawactors.runtime.node.step import StepCall, call_of, home_of, undo_of
from clawactors.runtime.node.steptime import RunningSteps, is_async, within
from clawactors.runtime.node.threadsteps import ThreadSteps
from clawactors.systems.skills.returns import JSON, Returns, returns_of
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.events import TaskError
from clawactors.systems.tasks.journal import PATCHED, RECOVERY, SIGNAL
from clawactors.systems.tasks.payload import is_reference
from clawactors.systems.tasks.retry import Retry

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["NAME_MAX", "Steps"]

NAME_MAX: Final = 256
_TURNS: Final = 5
_OWN: Final = (SLEEP, SIGNAL, PATCHED, RECOVERY)
_NAMED_MAX: Final = 5

_log = logging.getLogger(__name__)


class Steps:
    """The steps of one attempt."""

    def __init__(self, attempt: "Attempt") -> None:
        self._attempt = attempt
        self._called: dict[str, str] = {}  # by name of the step, the fingerprint of its call
        self.names = StepNames()
        self.running = RunningSteps(attempt, write_beside)
        self.threads = ThreadSteps(attempt)
        self._earlier: dict[str, list[str]] | None = None

    @outside_run
    async def take(self, given: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """See `TaskContext.step`."""
        branch = self._attempt.tasks.current()
        branch.works += 1
        try:
            return await self._take(branch.path, given, kwargs)
        finally:
            branch.works -= 1
            self._attempt.tasks.changed()

    async def _take(self, path: str, given: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = call_of(self.names, given, kwargs, path)
        name, returns = call.name, returns_of(call.function)
        undo = undo_of(call, home_of(self._attempt.skill)) if call.undo is not None else None
        try:
            done, result = await self.begin(name, call.fingerprint)
            if done:
                return returns.restored(result, f"step {name!r}")
            return returns.restored(await self._try(call, undo, returns), f"step {name!r}")
        except asyncio.CancelledError:
            if self.running.given_up(name):
                self._called.pop(name, None)  # the code may catch a timeout of its own and try the step again
            raise

    async def _try(self, call: StepCall, undo: dict[str, Any] | None, returns: Returns) -> Any:
        """The result as JSON has it, once it is on record. Raises: what the last try raises."""
        name, failures, clock = call.name, 0, self._attempt.clock
        while True:
            started_s = clock.monotonic_s()
            try:
                result = await within(call.timeout_s, self._do(call, undo), name)
            except (Exception, SystemExit, KeyboardInterrupt) as raised:
                error = as_exception(raised)
                if await self.tries_again(name, error, clock.monotonic_s() - started_s, call.retry, failures):
                    failures += 1
                    continue
                if error is raised:
                    raise
                raise error from raised
            return await self.end(name, result, clock.monotonic_s() - started_s, undo, returns)

    async def _do(self, call: StepCall, undo: dict[str, Any] | None) -> Any:
        with in_run(self._attempt.tasks), in_step():
            if is_async(call.function):
                return await call.function(*call.args, **call.kwargs)
            result = await self.threads.call(call, undo, self._called.get(call.name, ""))
            return await result if inspect.isawaitable(result) else result

    async def begin(self, name: object, call: str) -> tuple[bool, Any]:
        """`(True, result)` when the step is recorded as completed."""
        attempt = self._attempt
        await attempt.parking.at_work()
        attempt.check()
        if not isinstance(name, str) or not 0 < len(name) <= NAME_MAX or not name.isprintable():
            raise Refused(f"a step is named by 1 to {NAME_MAX} printable characters, not {repr(name)[:40]}")
        if name.startswith(_OWN) and not (attempt.recovers and name.startswith(RECOVERY)):
            raise Refused(f"the step name {name!r} begins as those of sleeps, signals and marks do; choose another")
        if name in self._called:
            await attempt.block(f"the code uses the step name {name!r} twice; step names are unique within a task")
        self._called[name] = call
        attempt.journal.used.add(name)
        entry = attempt.journal.entries.last(name)
        names = self._earlier_calls().get(call) if entry is None and tells_apart(call) else None
        if names and (other := await self._first_unused(names)):
            await attempt.block(_renamed(name, other))
        if entry is None or not entry.is_done:
            await self.running.began(name)
            return False, None
        if entry.fingerprint and entry.fingerprint != call:
            await attempt.block(
                f"the journal does not fit the code: step {name!r} is {difference(entry.fingerprint, call)}; "
                f"give it the old code back, {WAY_OUT}, or fork the task from this step"
            )
        if is_reference(entry.result):
            return True, await attempt.values.load_payload(entry.result, f"the result of step {name!r}")
        return True, entry.result

    def _earlier_calls(self) -> dict[str, list[str]]:
        """By fingerprint, the names of steps that earlier attempts completed and this one has to use again."""
        if self._earlier is None:
            self._earlier = {}
            failed_in = 0  # the attempt in which a step failed: steps after it may have been compensations
            for entry in self._attempt.journal.entries:
                if entry.attempt >= self._attempt.assignment.event.attempt:
                    break
                if entry.status == "failed":
                    failed_in = entry.attempt
                elif entry.status == "completed" and entry.attempt != failed_in and entry.fingerprint:
                    self._earlier.setdefault(entry.fingerprint, []).append(entry.name)
        return self._earlier

    async def close(self) -> None:
        """Called when the code has returned: recorded steps that it did not use are logged, or block the task.

        A new step with the same call as an unused one has most likely been renamed. For a call that many steps may
        make, this is known only at the end. The code may also take another path than before, which is legal.
        """
        names = (name for names in self._earlier_calls().values() for name in names)
        left = [name for name in names if name not in self._called]
        if not left:
            return
        attempt, journal = self._attempt, self._attempt.journal.entries
        calls = {entry.fingerprint: entry for name in left if (entry := journal.last(name)) is not None}
        for name, call in self._called.items():
            entry, other = journal.last(name), calls.get(call)
            if entry is not None and other is not None and entry.attempt > other.attempt:
                await attempt.block(_renamed(name, other.name))
        shown = ", ".join(map(repr, left[:_NAMED_MAX])) + (
            f" and {len(left) - _NAMED_MAX} more" if len(left) > _NAMED_MAX else ""
        )
        _log.warning("recorded steps of earlier attempts were not used by the current code: %s", shown)

    async def _first_unused(self, names: list[str]) -> str:
        """The first of them that the code has not used, "" where it has used all."""
        for _ in range(_TURNS):  # concurrent steps begin meanwhile
            await asyncio.sleep(0)
        return next((name for name in names if name not in self._called), "")

    async def end(
        self, name: str, result: Any, took_s: float, undo: dict[str, Any] | None = None, returns: Returns = JSON
    ) -> Any:
        """Records the result; returns it as JSON has it, from which `returns` makes what the code gets.

        `undo` is that of `undo_of`.
        """
        attempt = self._attempt
        self.running.ended(name)
        value, record = await attempt.values.encode_result(result, f"step {name!r}", returns)
        returns.restored(value, f"step {name!r}")  # what can't come back is not recorded
        if attempt.has_ended:
            raise TaskSuspended  # left behind
        call = self._called.get(name, "")
        if undo is not None:
            attempt.journal.gathers = False  # what was done but is not on record could not be undone
        undone_by = None if undo is None else await attempt.values.undo_record(undo, name)
        progress = attempt.values.progress_after(name)
        attempt.note(c.CompleteStep(attempt.fence, name, record, round(took_s, 6), progress, call, undone_by), record)
        await attempt.persist()
        return value

    async def compensate(self, reason: str) -> list[str]:
        """See `TaskContext.compensate`."""
        attempt = self._attempt
        attempt.check()
        if not attempt.journal.ahead.life.undoable:
            return []
        raised = sys.exception()
        error = TaskError("compensated", reason or "its code had its steps undone")
        if raised is not None and not reason:
            error = classify(raised, attempt.skill.errors if attempt.skill else ())[0]
        attempt.journal.compensates = True
        attempt.note(c.BeginUndo(attempt.fence, error))
        await attempt.write()
        return await undo_steps(attempt, attempt.write)

    async def fail(self, name: str, error: Exception, took_s: float) -> None:
        """Notes that the step raised; this is written with the next step or the failure of the attempt."""
        attempt = self._attempt
        self.running.ended(name)
        self._called.pop(name, None)  # code may catch the error and try the step again
        if attempt.may_record:
            message = attempt.supplies.secrets.hide(message_of(error))
            attempt.note(c.FailStep(attempt.fence, name, message, round(took_s, 6)), message)
            if attempt.journal.is_much:
                await attempt.write()

    async def tries_again(self, name: str, error: Exception, took_s: float, retry: Retry | None, failures: int) -> bool:
        """Notes that the step raised; True, after the wait, when the step is to be tried again."""
        attempt, call = self._attempt, self._called.get(name, "")
        await self.fail(name, error, took_s)
        if retry is None or not attempt.may_record:
            return False
        strategy = classify(error, attempt.skill.errors if attempt.skill else ())[1]
        if strategy in ("give_up", "ask") or failures >= retry.max_retries:
            return False
        if not attempt.journal.gathers:
            await attempt.write()
        await asyncio.sleep(retry.wait_after(failures + 1, strategy, attempt.clock.roll()))
        attempt.check()
        self._called[name] = call
        await self.running.began(name)
        return True


def _renamed(name: str, other: str) -> str:
    return (
        f"the journal does not fit the code: step {name!r} makes the call that is recorded as step {other!r}; "
        f"give it the old name back, {WAY_OUT}, or fork the task from that step"
    )
