"""Follows a log with its archive: first what has moved meanwhile, in its place, then what is appended."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Self

from clawactors.eventlog.log import Follower
from clawactors.eventlog.record import Record

__all__ = ["ArchiveFollower"]


class ArchiveFollower:
    """A `Follower`: `past` gives the records behind the sequence `after`, `then` those behind them."""

    def __init__(self, past: AsyncGenerator[list[Record]], after: int, then: Follower) -> None:
        self._past, self._then = past, then
        self._position = after
        self._is_past = asyncio.Event()

    @property
    def position(self) -> int:
        """See `Follower`."""
        return self._then.position if self._is_past.is_set() else self._position

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Record]:
        while not self._is_past.is_set():
            try:
                records = await anext(self._past)
            except StopAsyncIteration:
                self._is_past.set()
            else:
                self._position = records[-1].seq
                return records
        return await anext(self._then)

    async def caught_up(self) -> None:
        """See `Follower`."""
        await self._is_past.wait()
        await self._then.caught_up()

    async def aclose(self) -> None:
        """See `Follower`."""
        self._is_past.set()
        await self._then.aclose()
        with suppress(RuntimeError):  # it is being read just now, and ends with its reader
            await self._past.aclose()
