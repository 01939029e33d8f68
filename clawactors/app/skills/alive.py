"""Keeps a task alive while something runs that can't show by itself that it does."""

import asyncio
from collections.abc import Awaitable
from typing import Final

from clawactors.runtime.node.context import TaskContext

__all__ = ["with_heartbeats"]

_APART_S: Final = 30.0


async def with_heartbeats[T](task: TaskContext, work: Awaitable[T]) -> T:
    """What the work gives; until then the task gives signs of life. Its timeout ends it all the same."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(_APART_S)
            task.heartbeat()

    beating = asyncio.ensure_future(beat())
    try:
        return await work
    finally:
        beating.cancel()
