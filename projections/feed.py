"""The views of a running control process: fed from its one reader, written in a thread, asked from anywhere."""

import asyncio
from collections.abc import Sequence

from eventlog.decoding import Commit
from projections.projector import BATCH, Projector

__all__ = ["Feed"]

_HELD_MAX = 50_000
"""Commits that may wait to be written; then the reader waits, so that memory stays flat."""

_GATHER_S = 0.03
"""How long commits gather before they are written together: one transaction costs a few milliseconds."""


class Feed:
    """Takes commits, writes them in batches; `serve` is its life."""

    def __init__(self, projector: Projector) -> None:
        self.projector = projector
        self._held: list[Commit] = []
        self._more = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._written: list[tuple[int, asyncio.Future[None]]] = []

    async def put(self, commits: Sequence[Commit]) -> None:
        """Takes commits in the order of the log; waits while too many are held."""
        self._held += commits
        self._more.set()
        if len(self._held) >= _HELD_MAX:
            self._room.clear()
            await self._room.wait()

    async def serve(self) -> None:
        """Writes what comes, for ever; what is held when it is cancelled is read from the log at the next start."""
        while True:
            await self._more.wait()
            if len(self._held) < BATCH:
                await asyncio.sleep(_GATHER_S)
            self._more.clear()
            batch, self._held = self._held, []
            self._room.set()
            await asyncio.to_thread(self.projector.apply_commits, batch)
            self._tell()

    def _tell(self) -> None:
        waiting, self._written = self._written, []
        for seq, future in waiting:
            if seq > self.projector.position:
                self._written.append((seq, future))
            elif not future.done():
                future.set_result(None)

    async def reached(self, seq: int) -> None:
        """Returns when the rows say everything up to this sequence of the log."""
        if self.projector.position < seq:
            future = asyncio.get_running_loop().create_future()
            self._written.append((seq, future))
            await future
