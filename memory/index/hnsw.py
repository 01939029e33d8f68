"""The nearest-neighbour graph of hnswlib, an optional package that needs a C++ compiler to install.

1. A saved graph is whole or absent: it is written to a new file, synced, and named in a manifest with its checksum.
2. A graph that is damaged, from another embedder or mostly deleted is not loaded, but built again from the vectors.
3. A removed item is never found again. Its vector is overwritten soon, and before the next save: that takes as long as
   adding one, so a forgetting of thousands does not wait for it.
4. A search for more neighbours than can be reached returns those that can.
"""

import contextlib
import hashlib
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from clawactors.memory.index.embedding import Matrix, Vector
from clawactors.memory.index.postings import Numbers
from clawactors.projections.engine import durable

try:
    import hnswlib
except ImportError as error:
    hnswlib = None
    IMPORT_ERROR = str(error)
else:
    IMPORT_ERROR = ""

__all__ = ["IMPORT_ERROR", "HnswIndex", "HnswManifest", "delete_saved", "load_hnsw"]

_LINKS: Final = 16
_BUILD_BREADTH: Final = 200
_SEED: Final = 17
_LEAST_CAPACITY: Final = 1024
_DELETED_MAX: Final = 0.25
_MANIFEST: Final = "manifest.json"
_FILES: Final = "graph-*.bin"


class HnswManifest(msgspec.Struct, frozen=True):
    """The file of the saved graph, its digest and its content: all items up to `position` of the log."""

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


class HnswIndex:
    """Implements `VectorIndex`, approximately and fast."""

    def __init__(self, dim: int, graph: Any = None) -> None:
        self.dim = dim
        self.upto = 0
        self.removed: set[int] = set()
        self._stale: dict[int, None] = {}
        """The removed items whose vectors are still there."""
        if graph is None:
            graph = hnswlib.Index("ip", dim)
            graph.init_index(_LEAST_CAPACITY, M=_LINKS, ef_construction=_BUILD_BREADTH, random_seed=_SEED)
        self._graph = graph

    @property
    def count(self) -> int:
        """See `VectorIndex`."""
        return int(self._graph.get_current_count()) - len(self.removed)

    def add(self, numbers: Numbers, rows: Matrix) -> None:
        """See `VectorIndex`. It uses one thread, so that the same additions give the same graph."""
        if not len(numbers):
            return
        capacity = int(self._graph.get_max_elements())
        while self._graph.get_current_count() + len(numbers) > capacity:
            capacity *= 2
        if capacity != self._graph.get_max_elements():
            self._graph.resize_index(capacity)
        self._graph.add_items(rows, numbers, num_threads=1)
        for number in numbers.tolist():
            self.removed.discard(number)
            self._stale.pop(number, None)
        self.upto = max(self.upto, int(numbers.max()) + 1)

    def remove(self, number: int) -> None:
        """See `VectorIndex` and rule 3."""
        if number in self.removed:
            return
        with contextlib.suppress(RuntimeError):  # raised for an item that was never added
            self._graph.mark_deleted(number)
            self.removed.add(number)
            self._stale[number] = None

    def overwrite(self, most: int) -> bool:
        """See `VectorIndex`."""
        for number in list(self._stale)[:most]:
            self._graph.add_items(np.zeros((1, self.dim), np.float32), [number], num_threads=1)
            self._graph.mark_deleted(number)  # adding it again has unmarked it
            del self._stale[number]
        return bool(self._stale)

    def search(self, query: Vector, k: int, breadth: int) -> Numbers:
        """See `VectorIndex` and rule 4."""
        k = min(k, self.count)
        self._graph.set_ef(max(breadth, k))
        while k > 0:
            try:
                labels, _ = self._graph.knn_query(query, k, num_threads=1)
            except RuntimeError:  # fewer than k can be reached from the entry point
                k //= 2
                continue
            found: Numbers = labels[0].astype(np.int64)
            return found
        return np.empty(0, np.int64)

    def save(self, folder: Path, embedder: str, position: int) -> None:
        """See `VectorIndex` and rules 1 and 3."""
        self.overwrite(len(self._stale))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        last = _read_manifest(folder)
        generation = last.generation + 1 if last else 1
        path = folder / f"graph-{generation}.bin"
        self._graph.save_index(str(path))
        durable.sync(path)
        manifest = HnswManifest(
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
        for other in folder.glob(_FILES):
            if other != path:
                other.unlink(missing_ok=True)

    def numbers(self) -> Numbers:
        """See `VectorIndex`."""
        return np.sort(np.array(self._graph.get_ids_list(), np.int64))


def _load(path: Path, manifest: HnswManifest) -> HnswIndex:
    graph = hnswlib.Index("ip", manifest.dim)
    graph.load_index(str(path), max(manifest.count + len(manifest.removed), _LEAST_CAPACITY))
    index = HnswIndex(manifest.dim, graph)
    index.upto, index.removed = manifest.upto, set(manifest.removed)
    return index


def load_hnsw(folder: Path, embedder: str, dim: int) -> tuple[HnswIndex, int] | None:
    """The saved graph and its log position, None if it can't be trusted (rule 2)."""
    manifest = _read_manifest(folder)
    if manifest is None or (manifest.format, manifest.embedder, manifest.dim) != (1, embedder, dim):
        return None
    if len(manifest.removed) > _DELETED_MAX * (manifest.count + len(manifest.removed)):
        return None
    path = folder / Path(manifest.file).name
    try:
        if _digest(path) != manifest.digest:
            return None
        return _load(path, manifest), manifest.position
    except (OSError, RuntimeError):
        return None


def delete_saved(folder: Path) -> None:
    """Deletes the saved graph. Order: idempotent. Raises: `OSError`."""
    for path in (folder / _MANIFEST, *folder.glob(_FILES)):
        path.unlink(missing_ok=True)


def _read_manifest(folder: Path) -> HnswManifest | None:
    try:
        return msgspec.json.decode((folder / _MANIFEST).read_bytes(), type=HnswManifest)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()
