"""Steps of async code whose function is sync: it runs in a thread, which can't be cancelled."""

import asyncio
import contextlib
import inspect
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from clawactors.runtime.node.code import TaskSuspended, call_in_thread

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["ThreadSteps"]


class ThreadSteps:
    """The functions of one attempt that run in threads; `left` went on when its code had ended."""

    def __init__(self, attempt: "Attempt") -> None:
        self._attempt = attempt
        self.left: set[asyncio.Future[Any]] = set()

    async def call(self, name: str, function: Callable[[], Any]) -> Any:
        """What the function returns. Raises: what it raises."""
        attempt = self._attempt
        began_s = attempt.clock.monotonic_s()
        work = asyncio.get_running_loop().run_in_executor(attempt.threads, call_in_thread, function)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            if attempt.tasks.is_ending and not work.done():
                self.left.add(work)
                work.add_done_callback(partial(self._on_done, name, began_s))
            raise

    def _on_done(self, name: str, began_s: float, work: "asyncio.Future[Any]") -> None:
        """What it completes until the end of the attempt is recorded."""
        self.left.discard(work)
        if work.cancelled() or work.exception() is not None or inspect.isawaitable(work.result()):
            return
        with contextlib.suppress(Exception, TaskSuspended):
            attempt = self._attempt
            attempt.steps.complete_late(name, work.result(), attempt.clock.monotonic_s() - began_s)
