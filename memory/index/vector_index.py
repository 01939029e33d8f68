"""The search for nearest vectors: by hnswlib where it is installed, else exact (docs/adr/0041).

Both implementations find the same items, up to the approximation of hnswlib. A store that was used with one of them
opens with the other: vectors are in the rows, and only hnswlib saves anything beside them.
"""

import sys
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from clawactors.memory.index.embedding import Matrix, Vector
from clawactors.memory.index.hnsw import IMPORT_ERROR, HnswIndex, delete_saved, load_hnsw
from clawactors.memory.index.postings import Numbers
from clawactors.memory.index.top import best_of
from clawactors.memory.index.vectors import Vectors, pack, quantized

__all__ = ["DEFAULT_STORE", "DefaultStore", "ExactIndex", "ExactStore", "VectorIndex", "VectorStore", "describe"]


class VectorIndex(Protocol):
    """Unit vectors by item number. `upto`: all searched items with a smaller number have been added.

    `removed` are the numbers of removed items that it still has a place for.
    """

    dim: int
    upto: int
    removed: set[int]

    @property
    def count(self) -> int:
        """The number of items that can be found."""
        ...

    def add(self, numbers: Numbers, rows: Matrix) -> None:
        """Adds items, or replaces their vectors."""
        ...

    def remove(self, number: int) -> None:
        """Removes an item; `overwrite` and `save` overwrite its vector. Order: idempotent."""
        ...

    def overwrite(self, most: int) -> bool:
        """Overwrites the vectors of up to so many removed items; True while there are more."""
        ...

    def search(self, query: Vector, k: int, breadth: int) -> Numbers:
        """Up to `k` nearest items, nearest first. A greater `breadth` misses fewer items and takes longer."""
        ...

    def save(self, folder: Path, embedder: str, position: int) -> None:
        """Saves it in the folder, or deletes what is saved there. Raises: `OSError`.

        `position` is the log sequence up to which changes were applied.
        """
        ...

    def numbers(self) -> Numbers:
        """The numbers of all items, including removed ones, in ascending order."""
        ...


class ExactIndex:
    """Implements `VectorIndex` by comparing all vectors (8-bit codes). Its time grows with the number of items."""

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self.upto = 0
        self.removed: set[int] = set()
        self._vectors = Vectors(dim)
        self._present = np.zeros(1024, np.bool_)

    @property
    def count(self) -> int:
        """See `VectorIndex`."""
        return int(np.count_nonzero(self._present))

    def add(self, numbers: Numbers, rows: Matrix) -> None:
        """See `VectorIndex`."""
        codes, scales = quantized(rows)
        for nth, number in enumerate(numbers.tolist()):
            self._vectors.set(number, pack(0, 1.0, float(scales[nth]), codes[nth]))
            while number >= len(self._present):
                self._present = np.concatenate((self._present, np.zeros_like(self._present)))
            self._present[number] = True
            self.removed.discard(number)
            self.upto = max(self.upto, number + 1)

    def remove(self, number: int) -> None:
        """See `VectorIndex`."""
        if number < len(self._present) and self._present[number]:
            self._present[number] = False
            self._vectors.remove(number)
            self.removed.add(number)

    def overwrite(self, most: int) -> bool:
        """See `VectorIndex`. It has been done already."""
        return False

    def search(self, query: Vector, k: int, breadth: int) -> Numbers:
        """See `VectorIndex`. `breadth` has no effect."""
        numbers = np.flatnonzero(self._present)
        similarities = self._vectors.similarities(query, numbers)
        best = best_of(similarities, np.arange(len(numbers)), k)
        found: Numbers = numbers[best[np.argsort(-similarities[best], kind="stable")]]
        return found

    def save(self, folder: Path, embedder: str, position: int) -> None:
        """See `VectorIndex`. It deletes a saved graph, which may hold vectors of items that were removed since."""
        delete_saved(folder)

    def numbers(self) -> Numbers:
        """See `VectorIndex`."""
        return np.union1d(np.flatnonzero(self._present), np.array(sorted(self.removed), np.int64))


class VectorStore(Protocol):
    """Makes and loads vector indexes of one kind."""

    @property
    def name(self) -> str:
        """The kind, for people."""
        ...

    def empty(self, folder: Path, dim: int) -> VectorIndex:
        """A new index, whatever the folder holds. Raises: `Misconfigured`."""
        ...

    def load(self, folder: Path, embedder: str, dim: int) -> tuple[VectorIndex, int] | None:
        """The saved index and its log position, None if it must be built from the vectors. Raises: `Misconfigured`."""
        ...


class ExactStore:
    """Implements `VectorStore`: nothing is saved."""

    name = "exact search"

    def empty(self, folder: Path, dim: int) -> VectorIndex:
        """See `VectorStore`."""
        return ExactIndex(dim)

    def load(self, folder: Path, embedder: str, dim: int) -> tuple[VectorIndex, int] | None:
        """See `VectorStore`."""
        return None


class DefaultStore:
    """Implements `VectorStore` by hnswlib where it is installed, else by exact search."""

    @property
    def name(self) -> str:
        """See `VectorStore`."""
        return describe()

    def empty(self, folder: Path, dim: int) -> VectorIndex:
        """See `VectorStore`."""
        return ExactIndex(dim) if IMPORT_ERROR else HnswIndex(dim)

    def load(self, folder: Path, embedder: str, dim: int) -> tuple[VectorIndex, int] | None:
        """See `VectorStore`."""
        return None if IMPORT_ERROR else load_hnsw(folder, embedder, dim)


DEFAULT_STORE: Final = DefaultStore()


def describe() -> str:
    """How vectors are searched in this process, for people."""
    if not IMPORT_ERROR:
        return "hnswlib"
    remedy = f"with a C++ compiler, run {sys.executable} -m pip install 'hnswlib>=0.8,<0.9'"
    return f"exact search (hnswlib is not installed: {remedy}, and restart)"
