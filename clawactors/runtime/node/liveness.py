"""A thread with an event loop and a link of its own: for what has to go on while code blocks the node's loop."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self

from clawactors.eventlog.leases import Leases
from clawactors.eventlog.requests import Requests

__all__ = ["LivenessThread"]


class LivenessThread:
    """Open within `async with`; `leases` and `requests` are for coroutines that are given to `do`.

    `connect` opens the link, in the thread. Raises: what it raises, at the opening.
    """

    leases: Leases
    requests: Requests

    def __init__(self, connect: Callable[[], AbstractAsyncContextManager[tuple[Leases, Requests]]]) -> None:
        self._connect = connect
        self._open: Future[None] = Future()
        self._closed: Future[None] = Future()

    async def __aenter__(self) -> Self:
        threading.Thread(target=self._main, name="apart", daemon=True).start()
        await asyncio.wrap_future(self._open)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
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
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with self._connect() as (self.leases, self.requests):
            self._open.set_result(None)
            await self._over.wait()

    async def do[T](self, work: Coroutine[Any, Any, T]) -> T:
        """What the coroutine returns, or raises, in the other loop; cancelled here, it is cancelled there."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))
