"""Copies of what no reader could use, made beside the work: the log itself keeps the originals."""

import asyncio
import contextlib
import logging
from collections import deque
from typing import Protocol

from eventlog import EventLogError, Record, Unavailable

__all__ = ["DeadLetterWorker", "DeadLetters"]

_HELD_MAX_BYTES = 32 << 20
_AT_ONCE = 16
_AGAIN_S = 1.0

_log = logging.getLogger(__name__)


class DeadLetters(Protocol):
    """Where bad records are kept for people."""

    async def copy(self, record: Record, reason: str) -> None:
        """Keeps the record and why it is there; once, however often it is copied. Raises: `Unavailable`."""
        ...


class DeadLetterWorker:
    """Takes bad records without waiting; `serve` copies them. A flood beyond 32 MB is counted and not copied."""

    def __init__(self, dead: DeadLetters) -> None:
        self._dead = dead
        self._waiting: deque[tuple[Record, str]] = deque()
        self._held_bytes = 0
        self._more = asyncio.Event()
        self.not_copied = 0

    def put(self, record: Record, reason: str) -> None:
        """Takes one; never blocks."""
        if self._held_bytes + len(record.body) > _HELD_MAX_BYTES:
            self.not_copied += 1
            return
        self._held_bytes += len(record.body) + 1000
        self._waiting.append((record, reason))
        self._more.set()

    async def serve(self) -> None:
        """Copies for ever, a few at once."""
        await asyncio.gather(*(self._copy() for _ in range(_AT_ONCE)))

    async def _copy(self) -> None:
        while True:
            while not self._waiting:
                self._more.clear()
                await self._more.wait()
            record, reason = self._waiting.popleft()
            try:
                await self._copy_patiently(record, reason)
            except EventLogError as error:
                if not self.not_copied:
                    _log.error("dead letters can't be kept: %s", error)
                self.not_copied += 1
            self._held_bytes -= len(record.body) + 1000

    async def _copy_patiently(self, record: Record, reason: str) -> None:
        while True:
            with contextlib.suppress(Unavailable):
                return await self._dead.copy(record, reason)
            await asyncio.sleep(_AGAIN_S)
