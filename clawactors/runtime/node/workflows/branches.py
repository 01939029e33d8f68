"""Asyncio tasks of one creator, taken in the order in which they end; none outlives it."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any, Self

__all__ = ["Branches"]


class Branches[K, V]:
    """`async with Branches() as branches:`; whatever still runs when it is left is cancelled and awaited."""

    def __init__(self) -> None:
        self._running: dict[asyncio.Task[V], K] = {}
        self._ended: deque[asyncio.Task[V]] = deque()
        self._waiting: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if left := list(self._running):
            for task in left:
                task.cancel()
            await asyncio.wait(left)
            for task in left:
                if not task.cancelled():
                    task.exception()

    def __len__(self) -> int:
        return len(self._running)

    def start(self, key: K, work: Coroutine[Any, Any, V]) -> None:
        """Begins it."""
        task = asyncio.create_task(work)
        self._running[task] = key
        task.add_done_callback(self._on_done)

    async def next(self) -> tuple[K, V]:
        """The next one that ended, and what it returned. Raises: what it raised."""
        while not self._ended:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        task = self._ended.popleft()
        return self._running.pop(task), task.result()

    def _on_done(self, task: asyncio.Task[V]) -> None:
        self._ended.append(task)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
