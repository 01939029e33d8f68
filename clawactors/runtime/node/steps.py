"""The steps that a task's code takes, its sleeps among them.

1. A step that is on record as completed gives what is on record; it never runs again.
2. A step name used twice, a record that is of another call, or a call that is on record under a name that the code
   does not ask for any more, blocks the task: the journal does not fit the code. What else the code leaves is told.
3. The n-th sleep ends when the record says, on every resume the same.
"""

import asyncio
import inspect
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.code import Stopped, as_exception, call_in_thread
from clawactors.runtime.node.failure import classify, message_of
from clawactors.runtime.node.fingerprint import difference, fingerprint, tells_apart
from clawactors.runtime.node.sleep import IN_PLACE_S, SLEEP, seconds_of, until_of, written
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.journal import SIGNAL
from clawactors.systems.tasks.payload import is_reference
from clawactors.systems.tasks.retry import Retry

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["NAME_MAX", "Steps"]

NAME_MAX: Final = 256
_TURNS: Final = 5
_SHOWN: Final = 5

_log = logging.getLogger(__name__)


class Steps:
    """Those of one attempt."""

    def __init__(self, attempt: "Attempt") -> None:
        self._attempt = attempt
        self._called: dict[str, str] = {}  # names of steps and what they call
        self._sleeps = 0
        self._earlier: dict[str, list[str]] | None = None

    async def take(
        self, name: str, function: Callable[..., Any], args: Any, kwargs: Any, retry: Retry | None = None
    ) -> Any:
        """See `TaskContext.step`."""
        done, result = await self.begin(name, fingerprint(function, args, kwargs))
        if done:
            return result
        failures, clock = 0, self._attempt.clock
        while True:
            started_s = clock.monotonic_s()
            try:
                result = await self._do(function, args, kwargs)
            except (Exception, SystemExit, KeyboardInterrupt) as raised:
                error = as_exception(raised)
                if await self.tries_again(name, error, clock.monotonic_s() - started_s, retry, failures):
                    failures += 1
                    continue
                if error is raised:
                    raise
                raise error from raised
            return await self.end(name, result, clock.monotonic_s() - started_s)

    async def _do(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        if _is_async(function):
            return await function(*args, **kwargs)
        loop = asyncio.get_running_loop()
        result = await loop.run_in_executor(self._attempt.threads, call_in_thread, lambda: function(*args, **kwargs))
        return await result if inspect.isawaitable(result) else result

    async def begin(self, name: object, call: str) -> tuple[bool, Any]:
        """`(True, result)` when the step is on record already."""
        attempt = self._attempt
        attempt.check()
        if not isinstance(name, str) or not 0 < len(name) <= NAME_MAX or not name.isprintable():
            raise Refused(f"a step is named by 1 to {NAME_MAX} printable characters, not {repr(name)[:40]}")
        if name.startswith((SLEEP, SIGNAL)):
            raise Refused(f"the step name {name!r} begins as those of sleeps and signals do; choose another")
        if name in self._called:
            await attempt.block(f"the code uses the step name {name!r} twice; step names are unique within a task")
        self._called[name] = call
        entry = attempt.journal.entries.last(name)
        names = self._of_before().get(call) if entry is None and tells_apart(call) else None
        if names and (other := await self._unasked(names)):
            await attempt.block(_renamed(name, other))
        if entry is None or entry.status != "completed":
            return False, None
        if entry.fingerprint and entry.fingerprint != call:
            await attempt.block(
                f"the journal does not fit the code: step {name!r} is {difference(entry.fingerprint, call)}; "
                "give it the old code back, or fork the task from this step"
            )
        if is_reference(entry.result):
            return True, await attempt.values.load_payload(entry.result, f"the result of step {name!r}")
        return True, entry.result

    def _of_before(self) -> dict[str, list[str]]:
        """By call, the names of what earlier attempts have completed and a later one has to ask for again."""
        if self._earlier is None:
            self._earlier = {}
            strayed = 0  # the attempt in which a step failed: what follows may have been amends
            for entry in self._attempt.journal.entries:
                if entry.attempt >= self._attempt.fence.attempt:
                    break
                if entry.status == "failed":
                    strayed = entry.attempt
                elif entry.status == "completed" and entry.attempt != strayed and entry.fingerprint:
                    self._earlier.setdefault(entry.fingerprint, []).append(entry.name)
        return self._earlier

    async def close(self) -> None:
        """Called when the code has returned: what it left of its journal is told, or blocks the task.

        A step taken anew whose call equals one left behind has most likely been renamed; only at the end this is known
        of calls that many steps may make. Code may also go another way than before, which is its right.
        """
        names = (name for names in self._of_before().values() for name in names)
        left = [name for name in names if name not in self._called]
        if not left:
            return
        attempt, journal = self._attempt, self._attempt.journal.entries
        calls = {entry.fingerprint: entry for name in left if (entry := journal.last(name)) is not None}
        for name, call in self._called.items():
            entry, other = journal.last(name), calls.get(call)
            if entry is not None and other is not None and entry.attempt > other.attempt:
                await attempt.block(_renamed(name, other.name))
        shown = ", ".join(map(repr, left[:_SHOWN])) + (f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else "")
        _log.warning("the code did not ask for what is on record of earlier attempts: step %s", shown)

    async def _unasked(self, names: list[str]) -> str:
        """The first of them that the code has not asked for, '' where it has asked for all."""
        for _ in range(_TURNS):  # those that are taken beside this one ask meanwhile
            await asyncio.sleep(0)
        return next((name for name in names if name not in self._called), "")

    async def end(self, name: str, result: Any, took_s: float) -> Any:
        """Records the result and returns what the record will give back on a resume."""
        attempt = self._attempt
        kept, record = await attempt.values.encode_result(result, f"step {name!r}")
        if attempt.has_ended:
            raise Stopped  # left behind
        call = self._called.get(name, "")
        attempt.note(
            c.CompleteStep(attempt.fence, name, record, round(took_s, 6), attempt.values.progress, call), record
        )
        await attempt.persist()
        return kept

    async def fail(self, name: str, error: Exception, took_s: float) -> None:
        """Notes that the step raised; the record goes out with the attempt's failure or the next step."""
        attempt = self._attempt
        self._called.pop(name, None)  # code may catch the error and try the step again
        if not attempt.is_stopping:
            message = attempt.supplies.secrets.hide(message_of(error))
            attempt.note(c.FailStep(attempt.fence, name, message, round(took_s, 6)), message)
            if attempt.journal.is_much:
                await attempt.write()

    async def tries_again(self, name: str, error: Exception, took_s: float, retry: Retry | None, failures: int) -> bool:
        """Notes that the step raised; True when it is time for the step's own next try."""
        attempt, call = self._attempt, self._called.get(name, "")
        await self.fail(name, error, took_s)
        if retry is None or attempt.is_stopping:
            return False
        strategy = classify(error, attempt.skill.errors if attempt.skill else ())[1]
        if strategy in ("give_up", "ask") or failures >= retry.max_retries:
            return False
        if not attempt.journal.gathers:
            await attempt.write()
        await asyncio.sleep(retry.wait_after(failures + 1, attempt.clock.roll(), longer=strategy == "back_off"))
        attempt.check()
        self._called[name] = call
        return True

    async def sleep(self, wish: object) -> None:
        """See `TaskContext.sleep`."""
        attempt = self._attempt
        attempt.check()
        seconds, now_ns = seconds_of(wish), attempt.context.time.now_ns()
        self._sleeps += 1
        name = f"{SLEEP}{self._sleeps}"
        entry = attempt.journal.entries.last(name)
        if entry is not None:
            until_ns = until_of(entry.result)
        elif seconds < IN_PLACE_S:
            await asyncio.sleep(seconds)
            return
        else:
            record = written(now_ns + int(seconds * 1e9))
            until_ns = until_of(record)
            attempt.note(c.CompleteStep(attempt.fence, name, record, 0.0, attempt.values.progress))
        if until_ns > now_ns:
            await attempt.suspend(c.Wait(attempt.fence, "timer", until_ns))


def _renamed(name: str, other: str) -> str:
    return (
        f"the journal does not fit the code: step {name!r} makes the call that is on record as step {other!r}; "
        "give it the old name back, or fork the task from that step"
    )


def _is_async(function: Callable[..., Any]) -> bool:
    code = getattr(function, "__code__", None)  # `inspect` unwraps at a cost that shows in short steps
    return bool(code.co_flags & inspect.CO_COROUTINE) if code is not None else inspect.iscoroutinefunction(function)
