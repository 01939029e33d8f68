"""Follows a sealed log, and hands out its records opened."""

import asyncio
from typing import Final, Self

from clawactors.eventlog.errors import Unavailable
from clawactors.eventlog.log import Follower
from clawactors.eventlog.record import Record
from clawactors.eventlog.sealing import Sealer, is_sealed

__all__ = ["UnsealingFollower"]

_PAUSE_S: Final = 0.2


class UnsealingFollower:
    """A `Follower` that opens what another one hands out; what it can't open yet, it keeps."""

    def __init__(self, follower: Follower, sealer: Sealer) -> None:
        self._follower, self._sealer = follower, sealer
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
        if not self._held:
            before = self._follower.position
            batch = await anext(self._follower)
            if not any(is_sealed(record) for record in batch):
                return batch
            self._held, self._position = batch, before
            self._free.clear()
        while True:
            try:
                opened = await self._sealer.open(self._held)
            except Unavailable:
                await asyncio.sleep(_PAUSE_S)
                continue
            self._held = []
            self._free.set()
            return opened

    async def caught_up(self) -> None:
        """Returns when all records that were in the log at the call have been handed out."""
        await self._follower.caught_up()
        await self._free.wait()

    async def aclose(self) -> None:
        """Stops it; a waiting iteration ends."""
        await self._follower.aclose()
