"""Work beside the fold: kept until it is done, its errors logged, tried again while the log is away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine

from clawactors.eventlog import Unavailable

__all__ = ["PAUSE_S", "ControlBackground"]

PAUSE_S = 0.05

_log = logging.getLogger(__name__)


class ControlBackground:
    """The tasks that a control process has begun and does not wait for."""

    def __init__(self) -> None:
        self._working: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Begins it at once, in this very turn of the loop."""
        task = asyncio.Task(work, loop=asyncio.get_running_loop(), eager_start=True)
        self._working.add(task)
        task.add_done_callback(self._done)

    def insist(self, call: Callable[[], Awaitable[object]]) -> None:
        """Begins it, and again for as long as the log is away."""
        self.start(self._insist(call))

    async def _insist(self, call: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await call()
                return
            except Unavailable:
                await asyncio.sleep(PAUSE_S)

    def cancel(self) -> None:
        """Ends all of it."""
        for task in list(self._working):
            task.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("control: %s", error, exc_info=error)
