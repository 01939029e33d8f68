"""Follows one pattern of the log, and knows whether all records up to a moment have been handled."""

import asyncio
from collections.abc import Awaitable, Callable

from clawactors.eventlog import EventLog, Follower, Record, Unavailable

__all__ = ["Following"]

type Handler = Callable[[list[Record]], Awaitable[None]]


class Following:
    """Passes batches to `handle`, one after the other; `upto` is the sequence of the last handled record."""

    def __init__(self, log: EventLog, pattern: str, after: int, handle: Handler) -> None:
        self.upto = self._received = after
        self._log, self._pattern, self._handle = log, pattern, handle
        self._turn = asyncio.Event()

    async def open(self) -> None:
        """Starts following; no later record is missed. Raises: what the log raises."""
        self._follower: Follower = await self._log.follow([self._pattern], after=self.upto)

    async def serve(self) -> None:
        """Handles records until cancelled. Raises: what the log or `handle` raises."""
        async for batch in self._follower:
            self._received = batch[-1].seq
            await self._handle(batch)
            self.upto = self._received
            turn, self._turn = self._turn, asyncio.Event()
            turn.set()
        raise Unavailable(f"the follower of {self._pattern} has ended")

    async def caught_up(self) -> None:
        """Returns when all records that were in the log at the call have been handled."""
        await self._follower.caught_up()
        received = self._received
        while self.upto < received:
            await self._turn.wait()

    async def aclose(self) -> None:
        """Stops following."""
        await self._follower.aclose()
