"""What is remembered, on disk and in memory: the view's rows and the index over them, in step with each other.

1. Rows come first; the index takes in what a batch changed once the batch is durable, in the thread that wrote it.
2. A view that lost a batch, or rows that the index can't read, mean a fresh index, if need be from fresh rows.
3. The graph grows beside all that, and is saved whole or not at all.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Self

from clawactors.eventlog import Corrupt, EventLog, EventLogError, Unavailable
from clawactors.kernel.fold import Snapshot
from clawactors.memory.actor.precedence import Precedence
from clawactors.memory.embedding import Embedder, HashedEmbedder
from clawactors.memory.index import Index
from clawactors.memory.index.item import Item
from clawactors.memory.index.rows import all_items, find
from clawactors.memory.index.writer import Change
from clawactors.memory.recall import Searcher
from clawactors.memory.text.lexicon import Lexicon
from clawactors.memory.view import MemoryView, memory_projection
from clawactors.projections.engine.view import Projection
from clawactors.projections.live import LiveViews
from clawactors.systems.memories import MEMORY, Memory

__all__ = ["GRAPH", "MemoryStore"]

GRAPH: Final = "graph"
_SLICES: Final = 4
_SAVE_AFTER: Final = 10_000
"""Items that the graph took in or lost since it was saved; it is also saved when the actor ends."""

_log = logging.getLogger(__name__)


class MemoryStore:
    """`open` it, then `serve`. `on_changes` is called in the loop with what has become durable."""

    def __init__(
        self, views: LiveViews, folder: Path, embedder: Embedder, lexicon: Lexicon, precedence: Precedence
    ) -> None:
        self.views, self.folder, self.lexicon, self.precedence = views, folder, lexicon, precedence
        self.on_changes: Callable[[list[Change]], None] = _ignore
        self._embedder = embedder
        self._loop = asyncio.get_running_loop()
        self._grow = asyncio.Event()
        self._grown = 0

    @classmethod
    async def open(cls, log: EventLog, folder: Path, now_ns: Callable[[], int]) -> Self:
        """What lies in the folder, caught up with the log; built anew where it is lost, damaged or of another release.

        Raises: `Unavailable`, `Misconfigured`.
        """
        lexicon = Lexicon()
        embedder = HashedEmbedder(lexicon)
        await asyncio.to_thread(folder.mkdir, 0o700, parents=True, exist_ok=True)
        precedence = Precedence()
        projection: Projection = memory_projection(lambda: (embedder, lexicon), precedence.suspend)
        views = await LiveViews.open(log, folder, pulse=lambda _: None, now_ns=now_ns, projection=projection)
        stock = cls(views, folder, embedder, lexicon, precedence)
        try:
            await asyncio.to_thread(stock._begin)
        except (ValueError, IndexError, OverflowError, Corrupt) as error:  # msgspec's are ValueErrors
            _log.warning("memory's rows are damaged, they are built anew: %s", error)
            try:
                await views.rebuild()
            except EventLogError:
                await views.aclose()
                raise
            await asyncio.to_thread(stock._begin)
        views.feed.on_written = stock._take
        stock._grow.set()
        return stock

    def _begin(self) -> None:
        """A fresh index over the rows. Raises: `ValueError` where they can't be read."""
        self.view = next(view for view in self.views.feed.projector.views if isinstance(view, MemoryView))
        self.view.keeps_changes = True
        self.view.lost = False
        self.view.taken()
        self.index = Index(self.views.store, self._embedder, self.lexicon, self.folder / GRAPH)
        self.searcher = Searcher(self.index)

    def _take(self) -> None:
        """In the writing thread: brings the index to where the rows are."""
        if self.view.lost:
            self._begin()
            changes: list[Change] = []
        else:
            changes = self.view.taken()
            self.index.take(changes)
        self._loop.call_soon_threadsafe(self._told, changes)

    def _told(self, changes: list[Change]) -> None:
        # What is gone must go from the saved graph too.
        self._grown += sum(not change.after.memory.searched for change in changes)
        self._grow.set()
        self.on_changes(changes)

    async def serve(self) -> None:
        """Writes rows and lets the graph grow, until cancelled. Raises: `Corrupt`."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.views.serve())
            group.create_task(self._keep_growing())

    async def _keep_growing(self) -> None:
        while True:
            await self._grow.wait()
            self._grow.clear()
            before = self.index.graph_upto
            while await asyncio.to_thread(self._grow_a_little):
                pass
            self._grown += max(0, self.index.graph_upto - before)
            if self._grown >= _SAVE_AFTER:
                await asyncio.to_thread(self.save)

    def _grow_a_little(self) -> bool:
        for _ in range(_SLICES):
            self.precedence.suspend()
            if not self.index.grow():
                return False
        return True

    def save(self) -> None:
        """Saves the graph; what can't be written is only slower next time."""
        self._grown = 0
        try:
            self.index.save(self.views.position)
        except OSError as error:
            _log.warning("memory's graph was not saved: %s", error)

    # What is known

    def known(self, ids: list[str]) -> dict[str, Snapshot[Memory]]:
        """The memories as the rows have them; a version of 0 where they have none."""
        with self.views.store.snapshot() as reading:
            found = {id: find(reading, id) for id in ids}
        return {
            id: Snapshot(item.memory, item.version) if item else Snapshot(MEMORY.initial) for id, item in found.items()
        }

    def item(self, id: str) -> Item | None:
        """The memory with this id, whatever its status."""
        with self.views.store.snapshot() as reading:
            return find(reading, id)

    def items(self) -> Iterator[Item]:
        """All that were ever recorded, oldest first; keep it short, for it reads one moment."""
        with self.views.store.snapshot() as reading:
            yield from all_items(reading)

    async def reached(self, seq: int, timeout_s: float) -> None:
        """Returns when rows and index say everything up to this sequence. Raises: `Unavailable`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.views.feed.reached(seq)
        except TimeoutError:
            trouble = self.views.feed.trouble
            raise Unavailable(f"memory is at {self.views.position}, not yet at {seq} {trouble}".rstrip()) from None

    async def aclose(self) -> None:
        """Writes what is held, saves what is worth it, closes."""
        await self.views.feed.flush()
        if self._grown:
            await asyncio.to_thread(self.save)
        await self.views.aclose()


def _ignore(changes: list[Change]) -> None:
    pass
