"""Follows what is stored sealed, and hands out its records opened."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Self

from clawactors.eventlog.errors import Unavailable
from clawactors.eventlog.log import Follower
from clawactors.eventlog.record import Record

__all__ = ["UnsealingFollower"]

_PAUSE_S: Final = 0.2


class UnsealingFollower:
    """A `Follower` that opens what another one hands out; what it can't open yet, it keeps."""

    def __init__(self, follower: Follower, unseal: Callable[[list[Record]], Awaitable[list[Record]]]) -> None:
        self._follower, self._unseal = follower, unseal
        self._held: list[Record] = []
        self._position = 0
        self._free = asyncio.Event()
        self._free.set()

    @property
    def position(self) -> int:
        """The sequence up to which all matching records were handed out."""
        return self._position if self._held else self._follower.position

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Record]:
        while True:
            if not self._held:
                before = self._follower.position
                self._held, self._position = await anext(self._follower), before
                self._free.clear()
            try:
                opened = await self._unseal(self._held)
            except Unavailable:
                await asyncio.sleep(_PAUSE_S)
                continue
            self._held = []
            self._free.set()
            if opened:
                return opened

    async def caught_up(self) -> None:
        """Returns when all records that were in the log at the call have been handed out."""
        await self._follower.caught_up()
        await self._free.wait()

    async def aclose(self) -> None:
        """Stops it; a waiting iteration ends."""
        await self._follower.aclose()
