"""Behind the end of an erasure, memory builds its rows and its index again, beside those that answer meanwhile."""

import asyncio
from collections.abc import Callable, Iterable

from clawactors.eventlog.decoding import Commit
from clawactors.eventlog.sealing import Sealer
from clawactors.memory.ingest.history_reader import retry_while_unavailable
from clawactors.memory.process.store import MemoryStore
from clawactors.systems.erasures.events import ErasureFinished

__all__ = ["Renewal"]


class Renewal:
    """`apply` takes every commit that the rows have; `serve` builds, and calls `done` whenever it has."""

    def __init__(self, store: MemoryStore, sealer: Sealer | None, done: Callable[[], None]) -> None:
        self._store, self._sealer, self._done = store, sealer, done
        self._wanted = asyncio.Event()

    def apply(self, commits: Iterable[Commit]) -> None:
        """The keys that an erasure has removed are used no longer, and what they opened is to go."""
        for commit in commits:
            if any(isinstance(event, ErasureFinished) for event in commit.events):
                if self._sealer is not None:
                    self._sealer.forget(commit.id)
                self._wanted.set()

    async def serve(self) -> None:
        """Builds when it has to, until cancelled. Raises: `Corrupt`."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await retry_while_unavailable(self._store.renew)
            self._done()
