"""Work of a node beside its main loops, and what it does while the log is unavailable."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from clawactors.eventlog import PermissionDenied
from clawactors.runtime.node.retry import retry_while_unavailable

__all__ = ["Background"]

_log = logging.getLogger(__name__)


class Background:
    """Keeps asyncio tasks until they are done and logs what they raise.

    `deny` is called when the server forbids this node to record what it does.
    """

    def __init__(self, who: str, pause_s: float, deny: Callable[[PermissionDenied], None]) -> None:
        self._who, self._pause_s, self.deny = who, pause_s, deny
        self._loop = asyncio.get_running_loop()
        self._work: set[asyncio.Task[None]] = set()

    def start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Begins the work; it runs up to its first wait at once."""
        task = asyncio.Task(coroutine, loop=self._loop, eager_start=True)
        self._work.add(task)
        task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("%s: %s", self._who, error, exc_info=error)

    async def retry(self, call: Callable[[], Awaitable[Any]]) -> None:
        """Calls it until the log answers. Raises: what else the call raises."""
        try:
            await retry_while_unavailable(call, lambda: self._pause_s, self._who)
        except PermissionDenied as error:
            self.deny(error)
