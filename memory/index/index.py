"""All that makes memories findable, kept in step: rows in one transaction, figures in memory, the graph behind.

A change goes `stage` → `write` (rows, in the caller's transaction) → `commit` (memory, once the rows are durable), or
`drop`. Searches and `commit` share one lock; the graph takes in new items a few at a time (`grow`), and until it has
them they are compared exactly.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from clawactors.memories import Memory
from memory.embedding import Embedder, Vector
from memory.index.columns import Columns
from memory.index.graph import Graph, load_graph
from memory.index.item import KINDS, Item, asks, marks_of, text_of
from memory.index.postings import POSTINGS, Draft, Numbers, lookup
from memory.index.top import best_of
from memory.index.vectors import VECTORS, Vectors, pack, quantised
from memory.text.lexicon import Lexicon
from projections.index import ascending
from projections.store import META, Reading, Store, Writing

__all__ = ["EXACT_LIMIT", "TABLES", "Index"]

ITEMS: Final = "memory.items"
"""number → item."""
IDS: Final = "memory.ids"
"""id → number."""
TABLES: Final = (ITEMS, IDS, POSTINGS, VECTORS)

EXACT_LIMIT: Final = 8192
"""So many vectors are compared one by one: exact, and up to here about as fast as the graph."""

_NEXT: Final = b"memory.next"
_SLICE: Final = 64
_BREADTH: Final = 400

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Item).decode


class _Change(msgspec.Struct):
    number: int
    before: Item | None
    after: Item
    vector: bytes = b""


class Index:
    """See the module. `lock` guards `columns`, `vectors` and the graph."""

    def __init__(self, store: Store, embedder: Embedder, lexicon: Lexicon, folder: Path) -> None:
        self.store, self.embedder, self.lexicon = store, embedder, lexicon
        self.lock = threading.Lock()
        self.columns, self.vectors = Columns(), Vectors(embedder.dim)
        self._folder = folder
        self._staged: dict[str, _Change] = {}
        self._postings = Draft()
        self._next = 0
        self._graph = Graph(embedder.dim)
        self._load()

    # Reading

    def item(self, reading: Reading, number: int) -> Item | None:
        """The item with this number."""
        row = reading.get(ITEMS, _key(number))
        return _decode(row) if row else None

    def find(self, reading: Reading, id: str) -> Item | None:
        """The item with this id, whatever its status."""
        number = reading.get(IDS, id.encode())
        return self.item(reading, int.from_bytes(number, "big")) if number else None

    def with_terms(self, reading: Reading, *terms: str) -> list[Item]:
        """The items that have all of these terms, in the order in which they were recorded."""
        numbers = lookup(reading, terms[0])[0]
        for term in terms[1:]:
            numbers = np.intersect1d(numbers, lookup(reading, term)[0], assume_unique=True)
        return [item for number in numbers.tolist() if (item := self.item(reading, number)) is not None]

    def items(self, reading: Reading) -> Iterator[Item]:
        """All items in the order in which they were recorded, those that are not searched included."""
        for _, row in ascending(reading, ITEMS):
            yield _decode(row)

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

    # Writing

    def stage(self, id: str, version: int, memory: Memory, txn: Reading) -> None:
        """The memory is now like this. Called for every change in the order of the log, so numbers follow the log."""
        change = self._staged.get(id)
        if change is None:
            before = self.find(txn, id)
            number = before.number if before else self._take_number(txn)
            self._staged[id] = _Change(number, before, Item(number, id, version, memory))
        else:
            change.after = Item(change.number, id, version, memory)

    def present(self, txn: Reading, id: str) -> Item | None:
        """The item with this id, as it is staged or else as it is stored."""
        change = self._staged.get(id)
        return change.after if change else self.find(txn, id)

    def _take_number(self, txn: Reading) -> int:
        if not self._staged:
            self._next = int.from_bytes(txn.get(META, _NEXT) or b"", "big")
        number, self._next = self._next, self._next + 1
        return number

    def write(self, txn: Writing) -> None:
        """Puts what is staged; `commit` or `drop` must follow."""
        changes = list(self._staged.values())
        stale = [change for change in changes if _found_by(change.before) != _found_by(change.after)]
        fresh = [change for change in stale if change.after.memory.searched]
        rows, lengths = self.embedder.documents([text_of(change.after) for change in fresh])
        codes, scales = quantised(rows)
        for change in stale:
            if change.before and change.before.memory.searched:
                self._postings.remove(change.number, self._counted(change.before))
                txn.delete(VECTORS, _key(change.number))
        for nth, change in enumerate(fresh):
            counted = self._counted(change.after)
            self._postings.add(change.number, counted)
            change.vector = pack(counted.total(), float(lengths[nth]), float(scales[nth]), codes[nth])
            txn.put(VECTORS, _key(change.number), change.vector)
        self._postings.write(txn)
        for id, change in self._staged.items():
            txn.put(ITEMS, _key(change.number), _encode(change.after))
            if change.before is None:
                txn.put(IDS, id.encode(), _key(change.number))
        if changes:
            txn.put(META, _NEXT, self._next.to_bytes(4, "big"))

    def _counted(self, item: Item) -> Counter[str]:
        return Counter(self.lexicon.terms(text_of(item))) | Counter(marks_of(item))

    def commit(self) -> None:
        """Takes in what `write` put, now that it is durable."""
        with self.lock:
            for change in self._staged.values():
                item = change.after
                if not item.memory.searched:
                    self.columns.remove(change.number)
                    self.vectors.remove(change.number)
                    self._graph.remove(change.number)
                    continue
                if change.vector:
                    terms = self.vectors.set(change.number, change.vector)
                    if change.number < self._graph.upto:
                        number = np.array([change.number])
                        self._graph.add(number, self.vectors.rows(number))
                else:
                    terms = int(self.columns.terms[change.number])
                self._set(item, terms)
        self.drop()

    def drop(self) -> None:
        """Forgets what is staged: it was taken in, or the transaction failed."""
        self._staged.clear()
        self._postings = Draft()

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

    # The graph

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

    def save(self, position: int) -> None:
        """Saves the graph, so that the next start need not build it. Raises: `OSError`."""
        with self.lock:
            self._graph.save(self._folder, self.embedder.name, position)

    def _load(self) -> None:
        """Fills memory from the rows. Raises: `ValueError` where they are damaged or of another embedder."""
        versions: dict[int, int] = {}
        with self.store.snapshot() as reading:
            packed = dict(ascending(reading, VECTORS))
            for item in self.items(reading):
                if vector := packed.get(_key(item.number)):
                    self._set(item, self.vectors.set(item.number, vector))
                    versions[item.number] = item.version
                self.columns.count = max(self.columns.count, item.number + 1)
        loaded = load_graph(self._folder, self.embedder.name, self.embedder.dim)
        if loaded is None:
            return
        graph, manifest = loaded
        # The rows may have gone on since the graph was saved.
        known = graph.numbers()
        for number in known.tolist():
            if number not in versions:
                graph.remove(number)
        behind = set(np.flatnonzero(self.columns.alive[: graph.upto]).tolist()) - set(known.tolist())
        later = sorted(
            behind | {n for n, version in versions.items() if n < graph.upto and version > manifest.position}
        )
        numbers = np.array(later, np.int64)
        graph.add(numbers, self.vectors.rows(numbers))
        self._graph = graph


def _key(number: int) -> bytes:
    return number.to_bytes(4, "big")


def _found_by(item: Item | None) -> tuple[str, tuple[str, ...]] | None:
    """What postings and vector follow from."""
    return (text_of(item), item.content.tags) if item and item.memory.searched else None
