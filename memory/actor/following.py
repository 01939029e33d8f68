"""One kind of record as it comes, and the question whether all of it that was there a moment ago has been handled."""

import asyncio
from collections.abc import Awaitable, Callable

from clawactors.eventlog import EventLog, Follower, Record, Unavailable

__all__ = ["Following"]

type Handler = Callable[[list[Record]], Awaitable[None]]


class Following:
    """Gives batches to `handle`, one after the other; `upto` is the sequence of the last record that was handled."""

    def __init__(self, log: EventLog, pattern: str, after: int, handle: Handler) -> None:
        self.upto = self._handed = after
        self._log, self._pattern, self._handle = log, pattern, handle
        self._turn = asyncio.Event()

    async def open(self) -> None:
        """From here on nothing is missed. Raises: what the log raises."""
        self._follower: Follower = await self._log.follow([self._pattern], after=self.upto)

    async def serve(self) -> None:
        """Follows until cancelled. Raises: what the log or `handle` raises."""
        async for batch in self._follower:
            self._handed = batch[-1].seq
            await self._handle(batch)
            self.upto = self._handed
            turn, self._turn = self._turn, asyncio.Event()
            turn.set()
        raise Unavailable(f"{self._pattern} is followed no longer")

    async def caught_up(self) -> None:
        """Returns when all that was in the log at the call has been handled."""
        await self._follower.caught_up()
        handed = self._handed
        while self.upto < handed:
            await self._turn.wait()

    async def aclose(self) -> None:
        """Ends it."""
        await self._follower.aclose()
