"""Follows patterns of the log, and knows whether all records up to a moment have been handled."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from clawactors.eventlog import EventLog, Follower, Record, Unavailable

__all__ = ["Following"]

type Handler = Callable[[list[Record]], Awaitable[None]]


class Following:
    """Passes batches to `handle`, one after the other; `upto` is the sequence of the last handled record."""

    def __init__(self, log: EventLog, patterns: Sequence[str], after: int, handle: Handler) -> None:
        self.upto = self._received = after
        self._log, self._patterns, self._handle = log, patterns, handle
        self._turn = asyncio.Event()
        self._catching_up: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Starts following; no later record is missed. Raises: what the log raises."""
        self._follower: Follower = await self._log.follow(self._patterns, after=self.upto, sparse=True)

    async def serve(self) -> None:
        """Handles records until cancelled. Raises: what the log or `handle` raises."""
        async for batch in self._follower:
            self._received = batch[-1].seq
            await self._handle(batch)
            self.upto = self._received
            turn, self._turn = self._turn, asyncio.Event()
            turn.set()
        raise Unavailable(f"the follower of {', '.join(self._patterns)} has ended")

    async def caught_up(self) -> None:
        """Returns when all records that were in the log at the call have been handled. Raises: `Unavailable`.

        Calls of one turn of the loop share one question to the log.
        """
        if self._catching_up is None:
            self._catching_up = asyncio.ensure_future(self._catch_up())
        await asyncio.shield(self._catching_up)

    async def _catch_up(self) -> None:
        await asyncio.sleep(0)
        self._catching_up = None  # a later call needs a later answer
        await self._follower.caught_up()
        await self.reached(self._received)

    async def reached(self, seq: int) -> None:
        """Returns when all records up to this log sequence have been handled."""
        while self.upto < seq:
            await self._turn.wait()

    async def aclose(self) -> None:
        """Stops following."""
        await self._follower.aclose()
