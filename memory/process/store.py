"""The store of the memory process: the view's rows on disk and the index over them, kept in step.

1. Rows come first; the index applies a batch's changes once the batch is durable, in the thread that wrote it.
2. If the view lost a batch, or the index can't read the rows, the index is built again, if necessary from new rows.
3. The vector index grows in the background and is saved whole or not at all.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Self

from clawactors.eventlog import Corrupt, EventLog, EventLogError, Unavailable
from clawactors.memory.index import Index
from clawactors.memory.index.embedding import Embedder, HashedEmbedder
from clawactors.memory.index.forgotten import OWNERS_TABLES, owner_in
from clawactors.memory.index.rows import all_items, find
from clawactors.memory.index.view import MemoryView, memory_projection
from clawactors.memory.index.writer import Change
from clawactors.memory.item import Item
from clawactors.memory.models.building import MeaningBuilder
from clawactors.memory.models.parts import DEFAULT_PARTS, MemoryParts
from clawactors.memory.process.precedence import Precedence
from clawactors.memory.recall import Searcher
from clawactors.memory.text.lexicon import Lexicon
from clawactors.projections.engine.view import Projection
from clawactors.projections.live import LiveViews
from clawactors.systems.owners import Owner, OwnerSettings

__all__ = ["GRAPH", "MemoryStore"]

GRAPH: Final = "graph"
_MODELS: Final = "models"
_SLICES: Final = 4
_SAVE_AFTER: Final = 10_000
"""Items added to or removed from the vector index before it is saved; it is also saved when the process ends."""

_log = logging.getLogger(__name__)


class MemoryStore:
    """`open` it, then `serve`. `on_changes` is called in the loop with changes that have become durable.

    `on_applied` is called with them before anybody can see them, in the thread that wrote them; with None for all.
    """

    def __init__(
        self,
        views: LiveViews,
        folder: Path,
        embedder: Embedder,
        lexicon: Lexicon,
        precedence: Precedence,
        parts: MemoryParts,
    ) -> None:
        self.views, self.folder, self.lexicon, self.precedence = views, folder, lexicon, precedence
        self.on_changes: Callable[[list[Change]], None] = _ignore
        self.on_applied: Callable[[list[Change] | None], None] = _ignore
        self.meanings = MeaningBuilder(folder / _MODELS, parts, precedence.suspend)
        self._embedder, self.parts = embedder, parts
        self._loop = asyncio.get_running_loop()
        self._grow = asyncio.Event()
        self._unsaved = 0

    @classmethod
    async def open(
        cls, log: EventLog, folder: Path, now_ns: Callable[[], int], parts: MemoryParts = DEFAULT_PARTS
    ) -> Self:
        """The store in the folder, caught up with the log; rebuilt if it is lost, damaged or from another release.

        Raises: `Unavailable`, `Misconfigured`.
        """
        lexicon = Lexicon()
        embedder = HashedEmbedder(lexicon)
        await asyncio.to_thread(folder.mkdir, 0o700, parents=True, exist_ok=True)
        precedence = Precedence()
        projection: Projection = memory_projection(lambda: (embedder, lexicon), precedence.suspend)
        views = await LiveViews.open(log, folder, projection, heartbeat=lambda _: None, now_ns=now_ns)
        store = cls(views, folder, embedder, lexicon, precedence, parts)
        try:
            await asyncio.to_thread(store.meanings.open)
            await asyncio.to_thread(store._load)
        except (ValueError, IndexError, OverflowError, Corrupt) as error:  # msgspec's errors are ValueErrors
            _log.warning("memory's rows are damaged and are rebuilt from the log: %s", error)
            try:
                await views.rebuild()
            except EventLogError:
                await views.aclose()
                raise
            await asyncio.to_thread(store._load)
        views.feed.on_written = store._apply
        views.on_exchanged = store._reload
        store._grow.set()
        return store

    def _load(self) -> None:
        """Creates the index over the rows. Raises: `ValueError` if they can't be read."""
        self.view = next(view for view in self.views.feed.projector.views if isinstance(view, MemoryView))
        self.view.keeps_changes = True
        self.view.lost = False
        self.view.take_changes()
        self.index = Index(self.views.store, self._embedder, self.lexicon, self.folder / GRAPH, self.parts.vector_store)
        self.meanings.load(self.items)
        self.searcher = Searcher(self.index, self.meanings.served)

    def _reload(self) -> None:
        """The rows are others than before."""
        self._load()
        self.on_applied(None)

    def _apply(self) -> None:
        """Brings the index up to the rows, in the thread that wrote them."""
        if self.view.lost:
            self._reload()
            changes: list[Change] = []
        else:
            changes = self.view.take_changes()
            self.index.apply(changes)
            self.meanings.apply(changes)
            self.on_applied(changes)
        self._loop.call_soon_threadsafe(self._notify, changes)

    def _notify(self, changes: list[Change]) -> None:
        # Removed memories must be removed from the saved vector index too.
        self._unsaved += sum(not change.after.memory.searched for change in changes)
        self._grow.set()
        self.meanings.wake()
        self.on_changes(changes)

    async def serve(self) -> None:
        """Writes rows and grows the vector index, until cancelled. Raises: `Corrupt`."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.views.serve())
            group.create_task(self._grow_graph())
            group.create_task(self.meanings.serve(lambda: self.views.store))

    async def _grow_graph(self) -> None:
        while True:
            await self._grow.wait()
            self._grow.clear()
            before = self.index.graph_upto
            while await asyncio.to_thread(self._grow_slices):
                pass
            self._unsaved += max(0, self.index.graph_upto - before)
            if self._unsaved >= _SAVE_AFTER:
                await asyncio.to_thread(self.save)

    def _grow_slices(self) -> bool:
        for _ in range(_SLICES):
            self.precedence.suspend()
            if not self.index.grow():
                return False
        return True

    def save(self) -> None:
        """Saves the vector index; on failure the next start is only slower."""
        self._unsaved = 0
        try:
            self.index.save(self.views.position)
        except OSError as error:
            _log.warning("memory's vector index was not saved, the next start will rebuild it: %s", error)

    # Reading

    def item(self, id: str) -> Item | None:
        """The memory with this id, in any status."""
        with self.views.store.snapshot() as reading:
            return find(reading, id)

    def settings(self, owner: str) -> OwnerSettings:
        """What the owner wants."""
        with self.views.store.snapshot() as reading:
            return owner_in(reading, owner).settings

    def owners(self) -> list[Owner]:
        """All owners of whom anything is on record."""
        with self.views.store.snapshot() as reading:
            return [row.state for row in OWNERS_TABLES.read_all(reading)]

    def items(self) -> Iterator[Item]:
        """All memories ever recorded, oldest first. Keep the iteration short: it holds one snapshot open."""
        with self.views.store.snapshot() as reading:
            yield from all_items(reading)

    async def reached(self, seq: int, timeout_s: float) -> None:
        """Returns when rows and index include this log sequence. Raises: `Unavailable`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.views.feed.reached(seq)
        except TimeoutError:
            trouble = self.views.feed.trouble
            message = (
                f"memory is at {self.views.position} of the log, {seq} was not reached in {timeout_s:g} s {trouble}"
            )
            raise Unavailable(message.rstrip()) from None

    async def renew(self) -> bool:
        """Builds rows and index again, without what was erased from the log; False where they hold nothing of it.

        Raises: `Unavailable`, `Corrupt`.
        """
        if not await self.views.renew():
            return False
        await asyncio.to_thread(self.save)
        return True

    async def aclose(self) -> None:
        """Writes pending rows, saves the vector index if it changed, and closes."""
        with contextlib.suppress(Unavailable):
            await self.views.feed.flush()
        if self._unsaved:
            await asyncio.to_thread(self.save)
        await asyncio.to_thread(self.meanings.close)
        await self.views.aclose()


def _ignore(changes: list[Change] | None) -> None:
    pass
