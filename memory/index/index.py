"""The index in memory: figures, codes and the graph of every searched item, filled from the rows and kept in step.

Rows come first (`IndexWriter`); once they are durable, `take` brings them here. The graph takes in new items a few at a
time (`grow`), so that a search never waits long; until it has them they are compared exactly.
"""

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np

from clawactors.memory.embedding import Embedder, Vector
from clawactors.memory.index.columns import Columns
from clawactors.memory.index.graph import Graph, load_graph
from clawactors.memory.index.item import KINDS, Item, asks
from clawactors.memory.index.postings import Numbers
from clawactors.memory.index.rows import all_items, key, taken
from clawactors.memory.index.top import best_of
from clawactors.memory.index.vectors import VECTORS, Vectors
from clawactors.memory.index.writer import Change
from clawactors.memory.text.lexicon import Lexicon
from clawactors.projections.engine.index import ascending
from clawactors.projections.engine.store import Store

__all__ = ["EXACT_LIMIT", "Index"]

EXACT_LIMIT: Final = 8192
"""So many vectors are compared one by one: exact, and up to here about as fast as the graph."""

_SLICE: Final = 16
_BREADTH: Final = 400


class Index:
    """See the module. `lock` guards `columns`, `vectors` and the graph; `folder` is where the graph is saved."""

    def __init__(self, store: Store, embedder: Embedder, lexicon: Lexicon, folder: Path) -> None:
        self.store, self.embedder, self.lexicon = store, embedder, lexicon
        self.lock = threading.Lock()
        self.columns, self.vectors = Columns(), Vectors(embedder.dim)
        self._folder = folder
        self._graph = Graph(embedder.dim)
        self._load()

    def _load(self) -> None:
        """Fills memory from the rows. Raises: `ValueError` where they are damaged or of another embedder."""
        versions: dict[int, int] = {}
        with self.store.snapshot() as reading:
            packed = dict(ascending(reading, VECTORS))
            for item in all_items(reading):
                if vector := packed.get(key(item.number)):
                    self._set(item, self.vectors.set(item.number, vector))
                    versions[item.number] = item.version
            self.columns.count = max(self.columns.count, taken(reading))
        if loaded := load_graph(self._folder, self.embedder.name, self.embedder.dim):
            self._graph = loaded[0]
            self._catch_up(versions, loaded[1].position)

    def _catch_up(self, versions: dict[int, int], position: int) -> None:
        """Brings a saved graph to where the rows are by now; what is behind its end comes by `grow`."""
        graph = self._graph
        known = set(graph.numbers().tolist())
        for number in sorted(known - versions.keys()):
            graph.remove(number)
        changed = {
            number
            for number, version in versions.items()
            if number < graph.upto and (version > position or number not in known)
        }
        numbers = np.array(sorted(changed), np.int64)
        graph.add(numbers, self.vectors.rows(numbers))

    def take(self, changes: Iterable[Change]) -> None:
        """Takes in what was written."""
        with self.lock:
            for change in changes:
                item = change.after
                if not item.memory.searched:
                    self.columns.remove(item.number)
                    self.vectors.remove(item.number)
                    self._graph.remove(item.number)
                elif change.vector:
                    self._set(item, self.vectors.set(item.number, change.vector))
                    if item.number < self._graph.upto:
                        number = np.array([item.number])
                        self._graph.add(number, self.vectors.rows(number))
                else:
                    self._set(item, int(self.columns.terms[item.number]))

    def _set(self, item: Item, terms: int) -> None:
        columns, content = self.columns, item.content
        columns.set(
            item.number,
            {
                "kind": KINDS.index(content.kind),
                "owner": columns.owners.number(content.owner),
                "speaker": columns.speakers.number(content.speaker),
                "session": columns.sessions.number(content.session),
                "position": min(content.position, 2**31 - 1),
                "at_ns": content.happened_ns,
                "terms": min(terms, 65_535),
                "importance": content.importance,
                "asks": asks(content.text),
                "closed": item.memory.status == "superseded",
            },
        )

    def nearest(self, query: Vector, k: int) -> Numbers:
        """About the `k` living items whose vectors are nearest; exact while there are few. Call under the lock."""
        graph, columns = self._graph, self.columns
        if columns.living <= EXACT_LIMIT or graph.count == 0:
            living = columns.living_numbers()
            return best_of(self.vectors.similarities(query, living), living, k)
        found = graph.search(query, k, _BREADTH)
        behind = np.arange(graph.upto, columns.count)
        found = np.concatenate((found, behind))
        return found[columns.alive[found]]

    def grow(self) -> bool:
        """Lets the graph take in a few items; True while more wait."""
        with self.lock:
            first = self._graph.upto
            numbers = np.flatnonzero(self.columns.alive[first : self.columns.count])[:_SLICE] + first
            if not len(numbers):
                self._graph.upto = self.columns.count
                return False
            self._graph.add(numbers, self.vectors.rows(numbers))
            return self._graph.upto < self.columns.count

    @property
    def graph_upto(self) -> int:
        """Every living item with a smaller number is in the graph."""
        return self._graph.upto

    @property
    def graph_removed(self) -> int:
        """So many items were in the graph and are gone, their vectors overwritten."""
        return len(self._graph.removed)

    def save(self, position: int) -> None:
        """Saves the graph, so that the next start need not build it. Raises: `OSError`.

        `position`: up to which sequence of the log the rows were taken in.
        """
        with self.lock:
            self._graph.save(self._folder, self.embedder.name, position)
