"""The views of a running process: fed by its one reader, written in a thread, so that nobody waits for a disk.

1. What was put is written after `gather_s` at the latest, at once when somebody waits for it, and when it is closed.
2. No more is held than `HELD_MAX` commits: then `put` waits, and with it the reader.
3. A full disk is waited out; nothing that was put is skipped.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from eventlog import Record, Unavailable
from eventlog.decoding import Commit
from projections.projector import BATCH, Projector

__all__ = ["GATHER_S", "HELD_MAX", "Feed"]

HELD_MAX: Final = 50_000
"""Commits that may wait to be written."""
GATHER_S: Final = 0.1
"""How long commits gather by default: a task that ends within it is written once, not thrice."""

_GATHER_MAX_S: Final = 30.0
_TOGETHER: Final = 4 * BATCH
_PAUSE_S: Final = 1.0

_log = logging.getLogger(__name__)


class Feed:
    """Takes commits, writes them in batches; `serve` is its life. `reports` holds what could not be folded, and why."""

    def __init__(self, projector: Projector, gather_s: float = GATHER_S) -> None:
        self.projector, self._gather_s = projector, min(gather_s, _GATHER_MAX_S)
        self.writing = asyncio.Lock()  # who switches the projector must not do so within a batch
        self.on_fault: Callable[[Record, str], None] = _ignore
        self.taken = projector.position
        """Sequence up to which everything has been put."""
        self._held: list[Commit] = []
        self._more = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    async def put(self, commits: Sequence[Commit], upto: int = 0) -> None:
        """Takes commits in the order of the log, all there are up to that sequence; waits while too many are held."""
        self._held += commits
        self.taken = max(self.taken, upto, commits[-1].record.seq if commits else 0)
        self._more.set()
        if len(self._held) >= HELD_MAX:
            self._room.clear()
            await self._room.wait()

    async def serve(self) -> None:
        """Writes what comes, until cancelled. Raises: `Corrupt`."""
        while True:
            await self._more.wait()
            if len(self._held) < _TOGETHER and not self._waiting:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._gather_s):
                        await self._wanted()
            self._more.clear()
            await self._write()

    async def _wanted(self) -> None:
        """Returns when the next write should not be put off any longer."""
        while len(self._held) < _TOGETHER and not self._waiting:
            self._more.clear()
            await self._more.wait()

    async def _write(self) -> None:
        async with self.writing:
            batch, self._held, upto = self._held, [], self.taken
            self._room.set()
            reports = self.projector.faults.reports = []
            while True:
                try:
                    await asyncio.to_thread(self.projector.apply_commits, batch, upto, _TOGETHER)
                    break
                except Unavailable as error:  # a full disk, say: the rows wait, placement goes on
                    _log.error("the views stand still: %s", error)
                    await asyncio.sleep(_PAUSE_S)
        for record, reason in reports:
            self.on_fault(record, reason)
        waiting, self._waiting = self._waiting, []
        for seq, future in waiting:
            if seq > self.projector.position:
                self._waiting.append((seq, future))
            elif not future.done():
                future.set_result(None)

    async def reached(self, seq: int) -> None:
        """Returns when the rows say everything up to this sequence of the log."""
        if self.projector.position < seq:
            future = asyncio.get_running_loop().create_future()
            self._waiting.append((seq, future))
            self._more.set()
            await future

    async def aclose(self) -> None:
        """Writes what is held."""
        if self._held:
            await self._write()


def _ignore(record: Record, reason: str) -> None:
    pass
