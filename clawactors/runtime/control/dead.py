"""Copies of what no reader could use, made beside the work: the log itself keeps the originals.

Every control process sees every bad record, and the one that leads copies it. One that does not holds it for a while:
a lead that changes hands, or lapses for a moment, leaves none uncopied. What two of them copy is kept once.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from clawactors.eventlog import EventLogError, Record, Unavailable
from clawactors.eventlog.dead import DeadLetters
from clawactors.runtime.clock import Clock

__all__ = ["DeadLetterWorker"]

_HELD_MAX_BYTES: Final = 32 << 20
_EACH_BYTES: Final = 1000
_AT_ONCE: Final = 16
_AGAIN_S: Final = 1.0
_STANDBY_S: Final = 30.0
"""Longer than it takes until somebody leads again; shorter than the store tells a second copy from the first."""

_log = logging.getLogger(__name__)


class DeadLetterWorker:
    """Takes bad records without waiting; `serve` copies them. A flood beyond 32 MB is counted and not copied."""

    def __init__(self, dead: DeadLetters, clock: Clock, leads: Callable[[], bool]) -> None:
        self.store, self._clock, self._leads = dead, clock, leads
        self._waiting: deque[tuple[Record, str]] = deque()
        self._standby: deque[tuple[float, Record, str]] = deque()
        self._held_bytes = 0
        self._more = asyncio.Event()
        self.not_copied = 0

    def put(self, record: Record, reason: str) -> None:
        """Takes one; never blocks."""
        if self._leads():
            self._hold(record, reason)
            return
        now_s = self._clock.monotonic_s()
        self._standby.append((now_s, record, reason))
        self._held_bytes += _size(record)
        while self._standby and (self._standby[0][0] < now_s - _STANDBY_S or self._held_bytes > _HELD_MAX_BYTES):
            self._held_bytes -= _size(self._standby.popleft()[1])

    def lead(self) -> None:
        """This process may lead now: what came shortly before, and may not be copied, is its own to copy."""
        if not (self._standby and self._leads()):
            return
        since_s = self._clock.monotonic_s() - _STANDBY_S
        standby, self._standby = self._standby, deque()
        for seen_s, record, reason in standby:
            self._held_bytes -= _size(record)
            if seen_s >= since_s:
                self._hold(record, reason)

    def _hold(self, record: Record, reason: str) -> None:
        if self._held_bytes + len(record.body) > _HELD_MAX_BYTES:
            self.not_copied += 1
            return
        self._held_bytes += _size(record)
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
            self._held_bytes -= _size(record)

    async def _copy_patiently(self, record: Record, reason: str) -> None:
        while True:
            with contextlib.suppress(Unavailable):
                return await self.store.copy(record, reason)
            await asyncio.sleep(_AGAIN_S)


def _size(record: Record) -> int:
    return len(record.body) + _EACH_BYTES
