"""The index in memory: columns, vectors and the vector index of all searched items, loaded from the rows.

Rows are written first (`IndexWriter`); once they are durable, `apply` brings them into the index. `grow` adds new items
to the vector index a few at a time, so that a search never waits long; until then they are compared exactly.
"""

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np

from clawactors.memory.index.columns import Columns
from clawactors.memory.index.embedding import Embedder, Vector
from clawactors.memory.index.postings import Numbers
from clawactors.memory.index.rows import all_items, is_restricted, key, next_number
from clawactors.memory.index.top import best_of
from clawactors.memory.index.vector_index import DEFAULT_STORE, VectorIndex, VectorStore
from clawactors.memory.index.vectors import VECTORS, Vectors
from clawactors.memory.index.writer import Change
from clawactors.memory.item import KINDS, Item
from clawactors.memory.text.lexicon import Lexicon
from clawactors.memory.text.sentence import is_question
from clawactors.projections.engine.index import ascending
from clawactors.projections.engine.store import Reading, Store

__all__ = ["EXACT_LIMIT", "Index"]

EXACT_LIMIT: Final = 8192
"""Up to this number of items all vectors are compared: that is exact and about as fast as hnswlib."""

_SLICE: Final = 4
"""So few items are added under the lock, because a search waits for it: about 3 ms."""
_BREADTH: Final = 400


class Index:
    """The index of one store. `lock` guards columns, vectors and vector index, which is saved in `folder`."""

    def __init__(
        self,
        store: Store,
        embedder: Embedder,
        lexicon: Lexicon,
        folder: Path,
        vector_store: VectorStore = DEFAULT_STORE,
    ) -> None:
        self.store, self.embedder, self.lexicon = store, embedder, lexicon
        self.lock = threading.Lock()
        self.columns, self.vectors = Columns(), Vectors(embedder.dim)
        self._folder = folder
        self.vector_store = vector_store
        self._load()

    def _load(self) -> None:
        """Loads the rows. Raises: `ValueError` if they are damaged or come from another embedder."""
        versions: dict[int, int] = {}
        with self.store.snapshot() as reading:
            packed = dict(ascending(reading, VECTORS))
            for item in all_items(reading):
                if vector := packed.get(key(item.number)):
                    self._set(item, self.vectors.set(item.number, vector), reading)
                    versions[item.number] = item.version
            self.columns.count = max(self.columns.count, next_number(reading))
        self._neighbours: VectorIndex
        if loaded := self.vector_store.load(self._folder, self.embedder.name, self.embedder.dim):
            self._neighbours, position = loaded
            self._catch_up(versions, position)
        else:
            self._neighbours = self.vector_store.empty(self._folder, self.embedder.dim)

    def _catch_up(self, versions: dict[int, int], position: int) -> None:
        """Brings a saved vector index up to the rows; `grow` adds the items after its end."""
        neighbours = self._neighbours
        known = set(neighbours.numbers().tolist())
        for number in sorted(known - versions.keys()):
            neighbours.remove(number)
        changed = {
            number
            for number, version in versions.items()
            if number < neighbours.upto and (version > position or number not in known)
        }
        numbers = np.array(sorted(changed), np.int64)
        neighbours.add(numbers, self.vectors.rows(numbers))

    def apply(self, changes: Iterable[Change]) -> None:
        """Applies changes whose rows are durable."""
        with self.store.snapshot() as reading, self.lock:
            for change in changes:
                item = change.after
                if not item.memory.searched:
                    self.columns.remove(item.number)
                    self.vectors.remove(item.number)
                    self._neighbours.remove(item.number)
                elif change.vector:
                    self._set(item, self.vectors.set(item.number, change.vector), reading)
                    if item.number < self._neighbours.upto:
                        number = np.array([item.number])
                        self._neighbours.add(number, self.vectors.rows(number))
                else:
                    self._set(item, int(self.columns.terms[item.number]), reading)

    def _set(self, item: Item, terms: int, reading: Reading) -> None:
        columns, content = self.columns, item.content
        columns.set(
            item.number,
            {
                "kind": KINDS.index(content.kind),
                "owner": columns.owners.number(content.owner),
                "speaker": columns.speakers.number(content.speaker),
                "session": columns.sessions.number(content.session),
                "agent": columns.agents.number(content.agent),
                "position": min(content.position, 2**31 - 1),
                "at_ns": content.happened_ns,
                "terms": min(terms, 65_535),
                "importance": content.importance,
                "question": is_question(content.text),
                "closed": item.memory.status == "superseded",
                "restricted": is_restricted(reading, content),
            },
        )

    def nearest(self, query: Vector, k: int) -> Numbers:
        """The nearest items: about `k`, exact in a small index. Call it under the lock."""
        neighbours, columns = self._neighbours, self.columns
        if columns.living <= EXACT_LIMIT or neighbours.count == 0:
            living = columns.living_numbers()
            return best_of(self.vectors.similarities(query, living), living, k)
        found = neighbours.search(query, k, _BREADTH)
        later = np.arange(neighbours.upto, columns.count)
        found = np.concatenate((found, later))
        return found[columns.alive[found]]

    def grow(self) -> bool:
        """Adds a few items to the vector index, or overwrites removed ones. Returns True while more are waiting."""
        with self.lock:
            if self._neighbours.overwrite(_SLICE):
                return True
            first = self._neighbours.upto
            numbers = np.flatnonzero(self.columns.alive[first : self.columns.count])[:_SLICE] + first
            if not len(numbers):
                self._neighbours.upto = self.columns.count
                return False
            self._neighbours.add(numbers, self.vectors.rows(numbers))
            return self._neighbours.upto < self.columns.count

    @property
    def graph_upto(self) -> int:
        """All searched items with a smaller number are in the vector index."""
        return self._neighbours.upto

    @property
    def graph_removed(self) -> int:
        """How many removed items the vector index still has a place for; their vectors are overwritten."""
        return len(self._neighbours.removed)

    def save(self, position: int) -> None:
        """Saves the vector index, so that the next start does not build it again. Raises: `OSError`.

        `position`: the log sequence up to which the index has applied the rows.
        """
        with self.lock:
            self._neighbours.save(self._folder, self.embedder.name, position)
