"""The nearest-neighbour graph (hnswlib), wrapped so that it can be trusted.

1. A saved graph is whole or absent: written aside, synced, named in a manifest with its checksum.
2. A graph that is damaged, of another embedder or mostly deleted is not loaded; it is built again from the vectors.
3. What is removed is never found again, and its vector is overwritten, in memory and in the next save.
4. Asking for more neighbours than can be reached gives those that can.
"""

import contextlib
import hashlib
from pathlib import Path
from typing import Any, Final

import hnswlib
import msgspec
import numpy as np

from clawactors.memory.index.embedding import Matrix, Vector
from clawactors.memory.index.postings import Numbers
from clawactors.projections.engine import durable

__all__ = ["Graph", "Manifest", "load_graph"]

_LINKS: Final = 16
_BUILD_BREADTH: Final = 200
_SEED: Final = 17
_LEAST_CAPACITY: Final = 1024
_DELETED_MAX: Final = 0.25
_MANIFEST: Final = "manifest.json"


class Manifest(msgspec.Struct, frozen=True):
    """Which file is the graph, its digest, and what it holds: everything up to `position` of the log."""

    generation: int
    file: str
    digest: str
    embedder: str
    dim: int
    count: int
    removed: tuple[int, ...]
    upto: int
    position: int
    format: int = 1


class Graph:
    """Unit vectors by item number. `upto`: every living item with a smaller number is in it."""

    def __init__(self, dim: int, index: Any = None) -> None:
        self.dim = dim
        self.upto = 0
        self.removed: set[int] = set()
        if index is None:
            index = hnswlib.Index("ip", dim)
            index.init_index(_LEAST_CAPACITY, M=_LINKS, ef_construction=_BUILD_BREADTH, random_seed=_SEED)
        self._index = index

    @property
    def count(self) -> int:
        """How many items can be found."""
        return int(self._index.get_current_count()) - len(self.removed)

    def add(self, numbers: Numbers, rows: Matrix) -> None:
        """Adds items, or gives them other vectors. One thread: the same additions give the same graph."""
        if not len(numbers):
            return
        capacity = int(self._index.get_max_elements())
        while self._index.get_current_count() + len(numbers) > capacity:
            capacity *= 2
        if capacity != self._index.get_max_elements():
            self._index.resize_index(capacity)
        self._index.add_items(rows, numbers, num_threads=1)
        self.removed.difference_update(numbers.tolist())
        self.upto = max(self.upto, int(numbers.max()) + 1)

    def remove(self, number: int) -> None:
        """See rule 3. Order: idempotent."""
        if number in self.removed:
            return
        with contextlib.suppress(RuntimeError):  # raised where it was never in here
            self._index.mark_deleted(number)
            self._index.add_items(np.zeros((1, self.dim), np.float32), [number], num_threads=1)
            self._index.mark_deleted(number)  # since the line before took it back
            self.removed.add(number)

    def search(self, query: Vector, k: int, breadth: int) -> Numbers:
        """Up to `k` nearest items, nearest first; a greater `breadth` misses fewer and takes longer."""
        k = min(k, self.count)
        self._index.set_ef(max(breadth, k))
        while k > 0:
            try:
                labels, _ = self._index.knn_query(query, k, num_threads=1)
            except RuntimeError:  # fewer than k can be reached from the entrance
                k //= 2
                continue
            found: Numbers = labels[0].astype(np.int64)
            return found
        return np.empty(0, np.int64)

    def save(self, folder: Path, embedder: str, position: int) -> Manifest:
        """Rule 1. Replaces the generation before. Raises: `OSError`."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        last = read_manifest(folder)
        generation = last.generation + 1 if last else 1
        path = folder / f"graph-{generation}.bin"
        self._index.save_index(str(path))
        durable.sync(path)
        manifest = Manifest(
            generation=generation,
            file=path.name,
            digest=_digest(path),
            embedder=embedder,
            dim=self.dim,
            count=self.count,
            removed=tuple(sorted(self.removed)),
            upto=self.upto,
            position=position,
        )
        durable.replace(folder / _MANIFEST, msgspec.json.encode(manifest))
        for other in folder.glob("graph-*.bin"):
            if other != path:
                other.unlink(missing_ok=True)
        return manifest

    @classmethod
    def of_file(cls, path: Path, manifest: Manifest) -> "Graph":
        """The graph in a file that was checked before."""
        index = hnswlib.Index("ip", manifest.dim)
        index.load_index(str(path), max(manifest.count + len(manifest.removed), _LEAST_CAPACITY))
        graph = cls(manifest.dim, index)
        graph.upto, graph.removed = manifest.upto, set(manifest.removed)
        return graph

    def numbers(self) -> Numbers:
        """The numbers of all items that it holds, removed ones included."""
        return np.sort(np.array(self._index.get_ids_list(), np.int64))


def read_manifest(folder: Path) -> Manifest | None:
    """What the folder says it holds, None where that can't be read."""
    try:
        return msgspec.json.decode((folder / _MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def load_graph(folder: Path, embedder: str, dim: int) -> tuple[Graph, Manifest] | None:
    """The saved graph, None where there is none that can be trusted (rule 2)."""
    manifest = read_manifest(folder)
    if manifest is None or (manifest.format, manifest.embedder, manifest.dim) != (1, embedder, dim):
        return None
    if len(manifest.removed) > _DELETED_MAX * (manifest.count + len(manifest.removed)):
        return None
    path = folder / Path(manifest.file).name
    try:
        if _digest(path) != manifest.digest:
            return None
        return Graph.of_file(path, manifest), manifest
    except (OSError, RuntimeError):
        return None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()
