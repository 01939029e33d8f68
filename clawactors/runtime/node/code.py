"""The code of a skill while it runs, in an asyncio task or a thread of its own: it can be cancelled and left behind.

1. Whatever the code raises is its outcome: nothing of it reaches the event loop, or the life of the run around it.
2. Code that was told to end and does not within the grace time is left behind; what it does afterwards is ignored.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, Final

__all__ = ["GRACE_S", "Code", "Stopped", "as_exception", "call_in_thread"]

GRACE_S: Final = 5.0


class Stopped(BaseException):
    """Unwinds the code of a task that must not go on. No `Exception`, so that code does not swallow it by habit."""


class Code:
    """Runs from its creation on; `outcome` waits for its end."""

    def __init__(self, work: "asyncio.Future[Any]", *, in_thread: bool) -> None:
        self._work, self._in_thread = work, in_thread
        self._over: asyncio.Future[None] | None = None
        self._leaving: asyncio.TimerHandle | None = None

    @classmethod
    def begin(cls, coroutine: Coroutine[Any, Any, Any]) -> "Code":
        """Begins async code; it runs up to its first wait at once."""
        work = asyncio.Task(_contained(coroutine), loop=asyncio.get_running_loop(), eager_start=True)
        return cls(work, in_thread=False)

    @classmethod
    def begin_in_thread(cls, threads: Executor, function: Callable[[], Any]) -> "Code":
        """Begins sync code in a thread of the pool."""
        return cls(asyncio.get_running_loop().run_in_executor(threads, call_in_thread, function), in_thread=True)

    @property
    def ended(self) -> bool:
        """True when it has returned or raised."""
        return self._work.done()

    async def outcome(self) -> Any:
        """What it returned, or `asyncio.CancelledError` when it was left behind. Raises what it raised."""
        if not self._work.done():
            self._over = self._work.get_loop().create_future()
            self._work.add_done_callback(self._on_end)
            try:
                await self._over
            except asyncio.CancelledError:
                self.cancel()
                raise
            if not self._work.done():
                raise asyncio.CancelledError("left behind")
        return self._work.result()

    def cancel(self) -> None:
        """Ends async code where it awaits; a thread ends at its next step. Left behind after the grace time."""
        if self._work.done():
            return
        if not self._in_thread:
            self._work.cancel()
        if self._leaving is None:
            self._leaving = self._work.get_loop().call_later(GRACE_S, self.leave)

    def leave(self) -> None:
        """Stops waiting for it."""
        if self._over is not None and not self._over.done():
            self._over.set_result(None)

    def _on_end(self, work: "asyncio.Future[Any]") -> None:
        if not work.cancelled():
            work.exception()  # marks it as retrieved: it may have been left behind
        if self._leaving is not None:
            self._leaving.cancel()
        self.leave()


async def _contained(coroutine: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await coroutine
    except (SystemExit, KeyboardInterrupt) as error:  # in asyncio these would end the whole process
        raise as_exception(error) from error


def call_in_thread(function: Callable[[], Any]) -> Any:
    """Calls it so that whatever it raises can cross from a thread into the loop."""
    try:
        return function()
    except (StopIteration, SystemExit, KeyboardInterrupt) as error:
        raise as_exception(error) from error


def as_exception(error: BaseException) -> Exception:
    """The error itself, or a `RuntimeError` with the same text for errors that would end a process or an iteration."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    text = f"the code raised {type(error).__name__}" + (f": {error}" if str(error) else "")
    return RuntimeError(text).with_traceback(error.__traceback__)
