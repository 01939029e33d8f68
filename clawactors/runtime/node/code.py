"""The code of a skill while it runs, in an asyncio task or a thread of its own: it can be cancelled and left behind.

1. Whatever the code raises is its outcome: nothing of it reaches the event loop, or the life of the run around it.
2. Code that was told to end and does not within the grace time is left behind; what it does afterwards is ignored.
3. Code that has to leave its node is not cancelled: what it awaits raises `TaskSuspended`.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextvars import copy_context
from typing import Any, Final

from clawactors.runtime.node.codecoroutine import CodeCoroutine, TaskSuspended, as_exception
from clawactors.runtime.node.codetasks import CodeTasks, current_run

__all__ = ["GRACE_S", "Code", "TaskSuspended", "as_exception", "call_in_thread"]

GRACE_S: Final = 5.0


class Code:
    """Runs from its creation on; `outcome` waits for its end."""

    def __init__(
        self, work: "asyncio.Future[Any]", cleanup_s: float, *, is_async: bool, run: CodeTasks | None = None
    ) -> None:
        self._work, self.cleanup_s, self.is_async, self._run = work, cleanup_s, is_async, run
        self.is_told = False
        """True once sync code knows that it is cancelled."""
        self._over: asyncio.Future[None] | None = None
        self._leaving: asyncio.TimerHandle | None = None

    @classmethod
    def begin(
        cls, coroutine: Coroutine[Any, Any, Any], run: CodeTasks, cleanup_s: float = GRACE_S, *, is_async: bool = True
    ) -> "Code":
        """Begins async code as the run; it goes up to its first wait at once. `is_async` False: it serves a process."""
        context = copy_context()
        context.run(current_run.set, run if is_async else None)
        contained = CodeCoroutine(coroutine, run)
        work = asyncio.Task(contained, loop=asyncio.get_running_loop(), eager_start=True, context=context)
        run.begin(work)
        return cls(work, cleanup_s, is_async=is_async, run=run if is_async else None)

    @classmethod
    def begin_in_thread(cls, threads: Executor, function: Callable[[], Any], cleanup_s: float = GRACE_S) -> "Code":
        """Begins sync code in a thread of the pool."""
        work = asyncio.get_running_loop().run_in_executor(threads, call_in_thread, function)
        return cls(work, cleanup_s, is_async=False)

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

    def cancel(self, *, cleans_up: bool = False, suspends: bool = False) -> None:
        """Ends async code where it awaits; a thread ends at its next step. Left behind after the grace time.

        `suspends`: for the code it is no cancel, it goes on elsewhere or not at all.
        """
        if self._work.done():
            return
        if suspends and self._run is not None:
            self._run.is_suspended = True
        if self.is_async or (not cleans_up and isinstance(self._work, asyncio.Task)):
            self._work.cancel()
        self.expect_end(self.cleanup_s if cleans_up else GRACE_S)

    def expect_end(self, grace_s: float) -> None:
        """Leaves it behind where it has not ended by then, or earlier where that was said before."""
        if self._leaving is None or self._leaving.when() > self._work.get_loop().time() + grace_s:
            if self._leaving is not None:
                self._leaving.cancel()
            self._leaving = self._work.get_loop().call_later(grace_s, self.leave)

    def leave(self) -> None:
        """Stops waiting for it."""
        if isinstance(self._work, asyncio.Task) and not self._work.done():
            self._work.cancel()
        if self._over is not None and not self._over.done():
            self._over.set_result(None)

    def _on_end(self, work: "asyncio.Future[Any]") -> None:
        if not work.cancelled():
            work.exception()  # marks it as retrieved: it may have been left behind
        if self._leaving is not None:
            self._leaving.cancel()
        self.leave()


def call_in_thread(function: Callable[[], Any]) -> Any:
    """Calls it so that whatever it raises can cross from a thread into the loop."""
    try:
        return function()
    except (StopIteration, SystemExit, KeyboardInterrupt) as error:
        raise as_exception(error) from error
