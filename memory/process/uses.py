"""Counts how often memories were answers, and records it twice a minute: one event for each memory that was.

A crash loses half a minute of counts at most. What the rows say of uses follows from the recorded events alone.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Final

from clawactors.memory.item import ItemCommand
from clawactors.memory.process.writer import CommandWriter
from clawactors.systems.memories.commands import UseMemory

__all__ = ["UseCounter"]

_EVERY_S: Final = 30.0
_MOST: Final = 1000
"""So many memories are counted at a time; the others are missed."""


class UseCounter:
    """`note` what was an answer; `serve` records it."""

    def __init__(self, writer: CommandWriter) -> None:
        self._writer = writer
        self._times: Counter[str] = Counter()

    def note(self, ids: Iterable[str]) -> None:
        """These memories were answers."""
        if len(self._times) < _MOST:
            self._times.update(ids)

    async def flush(self) -> None:
        """Records what was noted. A memory that was forgotten since counts for nothing."""
        times, self._times = self._times, Counter()
        if times:
            await self._writer.write(ItemCommand(id, UseMemory(number)) for id, number in times.items())

    async def serve(self) -> None:
        """Records from time to time, until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_S)
            await self.flush()
