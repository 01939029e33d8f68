"""The vectors of one model for all searched items, beside the rows: a cache that fills in the background.

1. Rows are a fold of the log, vectors of a model are not: they are no part of the rows' digest, and may be deleted.
2. A vector belongs to a text. It is kept with the digest of that text, and computed again where the text is another.
3. What is removed from the index is removed here, at once while this runs, else before the next search.
4. Items without a vector are found by the other candidates. A text that the model knows nothing of has a vector of
   zeros, which is kept and never compared.
"""

import hashlib
import struct
import threading
from collections.abc import Iterable, Sequence
from itertools import batched, islice
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from clawactors.memory.index.columns import Columns
from clawactors.memory.index.embedding import Embedder, Vector
from clawactors.memory.index.index import EXACT_LIMIT
from clawactors.memory.index.postings import Numbers
from clawactors.memory.index.rows import item_at, key
from clawactors.memory.index.terms import searched_text
from clawactors.memory.index.top import best_of
from clawactors.memory.index.vector_index import DEFAULT_STORE, VectorIndex, VectorStore
from clawactors.memory.index.vectors import Vectors, pack, quantized
from clawactors.memory.index.writer import Change
from clawactors.memory.item import Item
from clawactors.projections.engine.index import ascending
from clawactors.projections.engine.store import META, Reading, Store

__all__ = ["Meanings"]

_TABLE: Final = "model.vectors"
"""number → digest of the text, number of the write, packed vector."""
_WRITES: Final = b"writes"
_HEAD: Final = struct.Struct("<16sQ")
_BREADTH: Final = 200
_TOGETHER: Final = 1024
_OVERWRITTEN: Final = 16
_SAVE_AFTER: Final = 10_000

type Mask = npt.NDArray[np.bool_]


class Meanings:
    """Call `load` once, `apply` for each batch of changes, and `grow` until nothing is missing. Thread-safe."""

    def __init__(self, folder: Path, embedder: Embedder, vector_store: VectorStore = DEFAULT_STORE) -> None:
        """Raises: `Misconfigured`, `Corrupt`."""
        self.embedder, self._folder, self._vector_store = embedder, folder, vector_store
        self._store = Store.open(folder / "rows", (_TABLE,))
        self._lock = threading.Lock()
        self._vectors = Vectors(embedder.dim)
        self._present: Mask = np.zeros(1024, np.bool_)
        self._missing: dict[int, bytes] = {}
        self._near: VectorIndex
        self._writes = 0
        self._unsaved = 0

    @property
    def missing(self) -> int:
        """How many items have no vector yet."""
        return len(self._missing)

    def load(self, items: Iterable[Item]) -> None:
        """Takes over the vectors of these items, deletes all others, and notes which are missing."""
        with self._lock:
            self._load(items)

    def _load(self, items: Iterable[Item]) -> None:
        self._vectors, self._present = Vectors(self.embedder.dim), np.zeros(1024, np.bool_)
        wanted = {item.number: _digest(item) for item in items if item.memory.searched}
        stale: list[bytes] = []
        later: list[int] = []
        loaded = self._vector_store.load(self._folder / "near", self.embedder.name, self.embedder.dim)
        position = loaded[1] if loaded else 0
        with self._store.snapshot() as reading:
            self._writes = int.from_bytes(reading.get(META, _WRITES) or b"", "big")
            for row_key, row in ascending(reading, _TABLE):
                number = int.from_bytes(row_key, "big")
                digest, write = _HEAD.unpack_from(row)
                if wanted.get(number) != digest or len(row) != _HEAD.size + self._row_bytes:
                    stale.append(bytes(row_key))
                    continue
                del wanted[number]
                self._set(number, bytes(row[_HEAD.size :]))
                if write > position:
                    later.append(number)
        self._missing = wanted
        self._near = loaded[0] if loaded else self._vector_store.empty(self._folder / "near", self.embedder.dim)
        self._delete(stale)
        known = set(self._near.numbers().tolist())
        for number in known:
            if not self._is_present(number):
                self._near.remove(number)
        present = set(np.flatnonzero(self._present).tolist())
        self._add(sorted(present.intersection(later) | (present - known)))

    @property
    def _row_bytes(self) -> int:
        return len(pack(0, 0.0, 0.0, np.zeros(self.embedder.dim, np.int8)))

    def _set(self, number: int, packed: bytes) -> None:
        self._vectors.set(number, packed)
        while number >= len(self._present):
            self._present = np.concatenate((self._present, np.zeros_like(self._present)))
        self._present[number] = bool(self._vectors.rows(np.array([number])).any())

    def _is_present(self, number: int) -> bool:
        return number < len(self._present) and bool(self._present[number])

    def apply(self, changes: Iterable[Change]) -> None:
        """Notes which texts are new, and removes what is no longer searched."""
        gone: list[bytes] = []
        with self._lock:
            for change in changes:
                number = change.after.number
                if change.after.memory.searched:
                    if change.vector:
                        self._missing[number] = _digest(change.after)
                    continue
                self._missing.pop(number, None)
                if self._is_present(number):
                    self._present[number] = False
                    self._vectors.remove(number)
                    self._near.remove(number)
                    self._unsaved += 1
                gone.append(key(number))
        self._delete(gone)

    def _delete(self, keys: Sequence[bytes]) -> None:
        if keys:
            with self._store.write() as txn:
                for each in keys:
                    txn.delete(_TABLE, each)

    def grow(self, reading: Reading, most: int) -> bool:
        """Computes up to `most` missing vectors and overwrites removed ones. Returns True while there is more to do.

        Raises: what the embedder raises.
        `reading`: rows of the index; it may be older than the changes that were applied.
        """
        with self._lock:
            wanted = dict(islice(self._missing.items(), most))
            left = self._near.overwrite(_OVERWRITTEN)
        texts: dict[int, str] = {}
        for number, digest in wanted.items():
            item = item_at(reading, number)
            if item and item.memory.searched and _digest(item) == digest:
                texts[number] = searched_text(item)
        if not texts:
            return left
        rows, _ = self.embedder.documents(list(texts.values()))
        codes, scales = quantized(rows)
        with self._lock:
            # What was changed or removed meanwhile is not written.
            kept = [(at, number) for at, number in enumerate(texts) if self._missing.get(number) == wanted[number]]
            with self._store.write() as txn:
                for at, number in kept:
                    self._writes += 1
                    packed = pack(0, 1.0, float(scales[at]), codes[at])
                    txn.put(_TABLE, key(number), _HEAD.pack(wanted[number], self._writes) + packed)
                    self._set(number, packed)
                txn.put(META, _WRITES, self._writes.to_bytes(8, "big"))
            for _, number in kept:
                del self._missing[number]
            self._add([number for _, number in kept if self._present[number]])
            self._unsaved += len(kept)
            left |= bool(self._missing)
        if self._unsaved >= _SAVE_AFTER:
            self.save()
        return left

    def _add(self, numbers: Sequence[int]) -> None:
        for part in batched(numbers, _TOGETHER):
            places = np.array(part, np.int64)
            self._near.add(places, self._vectors.rows(places))

    def similarities(self, query: Vector, numbers: Numbers) -> tuple[Vector, Mask]:
        """The similarity of each of these items, and which of them have a vector."""
        with self._lock:
            inside = numbers < len(self._present)
            known = np.zeros(len(numbers), np.bool_)
            known[inside] = self._present[numbers[inside]]
            found = np.zeros(len(numbers), np.float32)
            found[known] = self._vectors.similarities(query, numbers[known])
            return found, known

    def nearest(self, query: Vector, k: int, columns: Columns, mask: Mask | None) -> Numbers:
        """Up to about `k` of the nearest living items that the mask has; call it under the lock of the index."""
        with self._lock:
            alive = columns.alive if mask is None else mask
            end = min(len(alive), len(self._present))
            candidates = np.flatnonzero(self._present[:end] & alive[:end])
            if len(candidates) > EXACT_LIMIT and len(candidates) > self._near.count // 4:
                share = len(candidates) / max(self._near.count, 1)
                found = self._near.search(query, round(k / share), max(_BREADTH, round(k / share)))
                found = found[found < end]
                return found[alive[found]]
            return best_of(self._vectors.similarities(query, candidates), candidates, k)

    def save(self) -> None:
        """Saves the vector index if it changed, so that the next start does not build it again. Raises: `OSError`."""
        with self._lock:
            if self._unsaved:
                self._near.save(self._folder / "near", self.embedder.name, self._writes)
                self._unsaved = 0

    def close(self) -> None:
        """Saves and closes."""
        self.save()
        self._store.close()


def _digest(item: Item) -> bytes:
    return hashlib.blake2b(searched_text(item).encode("utf-8", "replace"), digest_size=16).digest()
