"""The time that steps take: a limit for each try, and a record that a long one runs.

1. Async code is cancelled when its time is over. Sync code can't be: it is left behind in its thread.
2. A step that runs longer than `SHOWN_AFTER_S`, or when its attempt ends, is recorded as running; others cost nothing.
"""

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Final

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.code import call_in_thread
from clawactors.systems.tasks import commands as c

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["GIVEN_UP", "SHOWN_AFTER_S", "RunningSteps", "call_within", "is_async", "run", "within"]

SHOWN_AFTER_S: Final = 2.0
GIVEN_UP: Final = "its code did not wait for its end: a timeout of its own, or a sibling that failed"


async def run(threads: Executor, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """What the function returns: async code runs in the loop, sync code in a thread."""
    if is_async(function):
        return await function(*args, **kwargs)
    loop = asyncio.get_running_loop()
    result = await loop.run_in_executor(threads, call_in_thread, lambda: function(*args, **kwargs))
    return await result if inspect.isawaitable(result) else result


def is_async(function: Callable[..., Any]) -> bool:
    """True for a function whose call has to be awaited."""
    code = getattr(function, "__code__", None)  # `inspect` unwraps at a cost that shows in short steps
    return bool(code.co_flags & inspect.CO_COROUTINE) if code is not None else inspect.iscoroutinefunction(function)


async def within[T](timeout_s: float | None, work: Awaitable[T], name: str) -> T:
    """What the work returns. Raises: what it raises; `TimeoutError` when its time is over."""
    if timeout_s is None:
        return await work
    limit = asyncio.timeout(timeout_s)
    try:
        async with limit:
            return await work
    except TimeoutError:
        if limit.expired():
            raise TimeoutError(_too_long(name, timeout_s)) from None
        raise


def call_within(
    timeout_s: float | None, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], name: str
) -> Any:
    """As `within`, for sync code in a thread: with a limit, the function runs in a thread of its own."""
    if timeout_s is None:
        return function(*args, **kwargs)
    outcome: list[tuple[Any, BaseException | None]] = []

    def work() -> None:
        try:
            outcome.append((function(*args, **kwargs), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=copy_context().run, args=(work,), name=f"step {name}", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if not outcome:
        raise TimeoutError(_too_long(name, timeout_s))
    result, error = outcome[0]
    if error is not None:
        raise error
    return result


def _too_long(name: str, timeout_s: float) -> str:
    return f"step {name!r} took longer than its timeout of {timeout_s:g} s"


class RunningSteps:
    """The steps of one attempt that run now."""

    def __init__(self, attempt: "Attempt", write: "Callable[[Attempt], None]") -> None:
        self._attempt, self._write = attempt, write
        self._timers: dict[str, asyncio.TimerHandle] = {}

    async def began(self, name: str) -> None:
        """A try of the step begins; that is on record first where the skill wants to recover it."""
        attempt = self._attempt
        if attempt.skill is not None and attempt.skill.recover is not None:
            attempt.note(c.StartStep(attempt.fence, name))
            await attempt.write()
        self._timers[name] = asyncio.get_running_loop().call_later(SHOWN_AFTER_S, self._show, name)

    def ended(self, name: str) -> None:
        """The try has returned or raised."""
        if (timer := self._timers.pop(name, None)) is not None:
            timer.cancel()

    def given_up(self, name: str) -> bool:
        """The code does not wait for the step any longer; False where the attempt ends: see `note_left`."""
        attempt = self._attempt
        if attempt.is_stopping or attempt.tasks.is_ending:
            return False
        if name in self._timers:
            with suppress(Refused):
                attempt.note(c.FailStep(attempt.fence, name, GIVEN_UP, self._ran_s(name)))
            self.ended(name)
        return True

    def note_left(self) -> None:
        """Notes the tries that the end of the attempt cuts short: what they did may be in the world."""
        attempt = self._attempt
        if attempt.phase.reason not in (None, "failed", "cancel"):
            return  # they run again elsewhere
        for name in self._timers:
            if not self._is_shown(name):
                with suppress(Refused):
                    attempt.journal.note(c.StartStep(attempt.fence, name, self._ran_s(name)))

    def _is_shown(self, name: str) -> bool:
        """True where it is on record that this attempt runs it."""
        task = self._attempt.journal.ahead
        entry = task.journal.last(name)
        return entry is not None and (entry.status, entry.attempt) == ("running", task.life.attempt)

    def _ran_s(self, name: str) -> float:
        began_s = self._timers[name].when() - SHOWN_AFTER_S
        return round(max(0.0, asyncio.get_running_loop().time() - began_s), 6)

    def _show(self, name: str) -> None:
        try:
            attempt = self._attempt
            if not (attempt.is_stopping or self._is_shown(name)):
                with suppress(Refused):
                    attempt.note(c.StartStep(attempt.fence, name, SHOWN_AFTER_S))
                    self._write(attempt)
        except ReferenceError:
            pass  # the attempt is gone; its step was left behind
