"""Steps of async code whose function is sync: it runs in a thread, which can't be cancelled."""

import asyncio
import contextlib
import inspect
from functools import partial
from typing import TYPE_CHECKING, Any

from clawactors.runtime.node.code import TaskSuspended, call_in_thread
from clawactors.runtime.node.step import StepCall
from clawactors.systems.tasks import commands as c

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["ThreadSteps"]


class ThreadSteps:
    """The functions of one attempt that run in threads; `left` went on when its code had ended."""

    def __init__(self, attempt: "Attempt") -> None:
        self._attempt = attempt
        self.left: set[asyncio.Future[Any]] = set()

    async def call(self, call: StepCall, undo: dict[str, Any] | None, fingerprint: str) -> Any:
        """What the function returns. Raises: what it raises."""
        attempt = self._attempt
        began_s = attempt.clock.monotonic_s()
        function = partial(call.function, *call.args, **call.kwargs)
        work = asyncio.get_running_loop().run_in_executor(attempt.threads, call_in_thread, function)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            if attempt.tasks.is_ending and not work.done():
                self.left.add(work)
                work.add_done_callback(partial(self._on_done, call.name, undo, fingerprint, began_s))
            raise

    def _on_done(
        self, name: str, undo: dict[str, Any] | None, fingerprint: str, began_s: float, work: "asyncio.Future[Any]"
    ) -> None:
        """What it completes until the end of the attempt is recorded, unless that is large."""
        self.left.discard(work)
        if work.cancelled() or work.exception() is not None or inspect.isawaitable(work.result()):
            return
        with contextlib.suppress(Exception, TaskSuspended):
            attempt, whose = self._attempt, f"step {name!r}"
            values, took_s = attempt.values, round(attempt.clock.monotonic_s() - began_s, 6)
            record = values.encode_small(work.result(), whose)
            by = None if undo is None else values.undo_by(undo["function"], values.encode_small(undo["call"], whose))
            if not attempt.has_ended:
                attempt.note(c.CompleteStep(attempt.fence, name, record, took_s, None, fingerprint, by), record)
