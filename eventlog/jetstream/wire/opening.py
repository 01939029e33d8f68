"""Opens a connection to the first of several servers that answers, and says why none did."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final

from clawactors.eventlog.errors import EventLogError

__all__ = ["Elsewhere", "first_opened"]

STAGGER_S: Final = 0.25
"""A server that has not answered by then may be away: the next one is tried beside it."""


class Elsewhere(Exception):
    """This server will not do, another one may; `error` is for who finds none, the one with the greatest weight."""

    def __init__(self, error: EventLogError, weight: int = 0) -> None:
        super().__init__(str(error))
        self.error, self.weight = error, weight


async def first_opened[T](
    tries: Sequence[Callable[[], Coroutine[Any, Any, T]]], discard: Callable[[T], Awaitable[None]]
) -> T:
    """What the first try that succeeds returns; what others open meanwhile is discarded.

    Raises: at once what a try raises, but `Elsewhere`: its error when no try is left.
    """
    left, failures = list(reversed(tries)), list[Elsewhere]()
    running: set[asyncio.Task[T]] = set()
    try:
        while left or running:
            if left:
                running.add(asyncio.get_running_loop().create_task(left.pop()()))
            done, running = await asyncio.wait(
                running, timeout=STAGGER_S if left else None, return_when=asyncio.FIRST_COMPLETED
            )
            opened = [task.result() for task in done if task.exception() is None]
            for other in opened[1:]:
                await discard(other)
            if opened:
                return opened[0]
            for task in done:
                try:
                    task.result()
                except Elsewhere as failure:
                    failures.append(failure)
    finally:
        for task in running:
            task.cancel()
        for late in await asyncio.gather(*running, return_exceptions=True):
            if not isinstance(late, BaseException):
                await discard(late)
    raise max(failures, key=lambda failure: failure.weight).error from None
