"""A thread whose event loop keeps running while code blocks the node's own, and the detection of such stalls."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self

from clawactors.eventlog.leases import Leases
from clawactors.eventlog.requests import Requests
from clawactors.runtime.clock import Clock

__all__ = ["LivenessThread", "StallMonitor"]

_TICK_S = 0.5
_TURN_S = 1.0
_STALLED_S = 1.0
_NAMED = 3

_log = logging.getLogger(__name__)


class LivenessThread:
    """A thread with an event loop and a link of its own, open within `async with`.

    `leases` and `requests` are for coroutines that are given to `do`.
    `connect` opens the link, in the thread. Raises: what it raises, at the opening.
    """

    leases: Leases
    requests: Requests

    def __init__(self, connect: Callable[[], AbstractAsyncContextManager[tuple[Leases, Requests]]]) -> None:
        self._connect = connect
        self._open: Future[None] = Future()
        self._closed: Future[None] = Future()
        self._ticked_s = time.monotonic()
        self._longest_s = 0.0

    def longest_tick_s(self) -> float:
        """The longest interval between ticks of the thread, due every 0.5 s, since the last call."""
        longest_s, self._longest_s = self._longest_s, 0.0
        return max(longest_s, time.monotonic() - self._ticked_s)

    async def __aenter__(self) -> Self:
        threading.Thread(target=self._main, name="liveness", daemon=True).start()
        await asyncio.wrap_future(self._open)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._closing.set)
        await asyncio.wrap_future(self._closed)

    def _main(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as error:
            if self._open.done():
                raise
            self._open.set_exception(error)
        finally:
            self._closed.set_result(None)

    async def _live(self) -> None:
        self._loop, self._closing = asyncio.get_running_loop(), asyncio.Event()
        async with self._connect() as (self.leases, self.requests):
            self._open.set_result(None)
            self._tick()
            await self._closing.wait()

    def _tick(self) -> None:
        ticked_s, self._ticked_s = self._ticked_s, time.monotonic()
        self._longest_s = max(self._longest_s, self._ticked_s - ticked_s)
        self._loop.call_later(_TICK_S, self._tick)

    async def do[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Runs the coroutine in the other loop, with its result. Cancelled here, it is cancelled there."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))


class StallMonitor:
    """Detects stalls of the node's event loop and logs the cause: async code blocked it, or the process was stopped.

    `running` gives the ids of the tasks whose async code runs in the loop.
    """

    def __init__(self, clock: Clock, thread: LivenessThread, node: str, running: Callable[[], list[str]]) -> None:
        self._clock, self._thread, self._node, self._running = clock, thread, node, running
        self._turned_s = clock.monotonic_s()

    def turned_within(self, limit_s: float) -> bool:
        """True when the loop has run within that time. May be called in any thread."""
        return self._clock.monotonic_s() - self._turned_s < limit_s

    async def serve(self) -> None:
        """Measures the loop, without end."""
        used_s = time.process_time()
        while True:
            await asyncio.sleep(_TURN_S)
            turned_s, self._turned_s = self._turned_s, self._clock.monotonic_s()
            before_s, used_s = used_s, time.process_time()
            thread_s = self._thread.longest_tick_s()
            if (stood_s := self._turned_s - turned_s - _TURN_S) > _STALLED_S:
                # The thread stands still as well where the process is stopped, or where code holds the interpreter.
                is_stopped = thread_s > stood_s / 2 and used_s - before_s < stood_s / 2
                self._warn(stood_s, is_stopped)

    def _warn(self, stood_s: float, is_stopped: bool) -> None:
        if is_stopped:
            _log.warning(
                "node %s stood still for %.1f s: its process was stopped or got no CPU time, or the machine was "
                "suspended",
                self._node,
                stood_s,
            )
            return
        ids = self._running()
        named = ", ".join(ids[:_NAMED]) + (" …" if len(ids) > _NAMED else "") or "a task that has ended"
        _log.warning(
            "node %s stood still for %.1f s: async code blocked its event loop, possibly that of %s; written "
            "`def` instead of `async def`, a skill runs in a thread and blocks nothing else",
            self._node,
            stood_s,
            named,
        )
