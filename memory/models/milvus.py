"""Vectors in Milvus Lite, an embedded database in a folder (extra `milvus`), behind the port `VectorIndex`.

1. A manifest says up to where the collection was saved. What was written later is written again, as with every index.
2. A removed item is deleted from the collection at once; what Milvus keeps of it on disk goes when it compacts.
3. A collection that can't be read, or holds less than the manifest says, is built again.
"""

import contextlib
import logging
import shutil
from itertools import batched
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from clawactors.eventlog import Misconfigured
from clawactors.memory.index.embedding import Matrix, Vector
from clawactors.memory.index.postings import Numbers
from clawactors.memory.index.vector_index import VectorIndex
from clawactors.projections.engine import durable

__all__ = ["MilvusIndex", "MilvusManifest", "MilvusStore"]

_COLLECTION: Final = "vectors"
_MANIFEST: Final = "milvus.json"
_DATABASE: Final = "milvus.db"
_TOGETHER: Final = 1000
_FOUND_MAX: Final = 16_384
"""As many neighbours as Milvus gives at most."""

_log = logging.getLogger(__name__)


class MilvusManifest(msgspec.Struct, frozen=True):
    """What the collection holds: all items of the embedder up to `position` of the log."""

    embedder: str
    dim: int
    upto: int
    position: int
    numbers: tuple[int, ...]
    removed: tuple[int, ...]


class MilvusIndex:
    """Implements `VectorIndex` by one collection."""

    def __init__(self, dim: int, client: Any, numbers: set[int]) -> None:
        self.dim, self.upto = dim, 0
        self.removed: set[int] = set()
        self._client, self._numbers = client, numbers

    @property
    def count(self) -> int:
        """See `VectorIndex`."""
        return len(self._numbers)

    def add(self, numbers: Numbers, rows: Matrix) -> None:
        """See `VectorIndex`."""
        for part in batched(range(len(numbers)), _TOGETHER):
            data = [{"number": int(numbers[at]), "vector": rows[at].astype(np.float32).tolist()} for at in part]
            self._client.upsert(_COLLECTION, data)
        added = numbers.tolist()
        self._numbers.update(added)
        self.removed.difference_update(added)
        self.upto = max([self.upto, *(number + 1 for number in added)])

    def remove(self, number: int) -> None:
        """See `VectorIndex`."""
        if number in self._numbers:
            self._client.delete(_COLLECTION, ids=[number])
            self._numbers.discard(number)
            self.removed.add(number)

    def overwrite(self, most: int) -> bool:
        """See `VectorIndex`. Nothing is left to overwrite: a removed item is deleted."""
        return False

    def search(self, query: Vector, k: int, breadth: int) -> Numbers:
        """See `VectorIndex`. `breadth` has no effect: the collection is compared as a whole."""
        k = min(k, self.count, _FOUND_MAX)
        if k <= 0:
            return np.empty(0, np.int64)
        vector = query.astype(np.float32).tolist()
        found = self._client.search(_COLLECTION, [vector], limit=k, output_fields=["number"])
        return np.array([int(hit["number"]) for hit in found[0]], np.int64)

    def save(self, folder: Path, embedder: str, position: int) -> None:
        """See `VectorIndex`."""
        self._client.flush(_COLLECTION)
        numbers = tuple(sorted(self._numbers))
        manifest = MilvusManifest(embedder, self.dim, self.upto, position, numbers, tuple(sorted(self.removed)))
        durable.replace(folder / _MANIFEST, msgspec.json.encode(manifest))

    def numbers(self) -> Numbers:
        """See `VectorIndex`."""
        return np.array(sorted(self._numbers | self.removed), np.int64)


class MilvusStore:
    """Implements `VectorStore`. One connection a folder: Milvus Lite locks what it has open."""

    name = "Milvus Lite"

    def __init__(self) -> None:
        """Raises: `Misconfigured` where the package is missing."""
        try:
            import pymilvus
        except ImportError as error:
            raise Misconfigured(f"milvus needs pymilvus: pip install 'clawactors[milvus]' ({error})") from None
        logging.getLogger("pymilvus").setLevel(logging.ERROR)
        self._pymilvus: Any = pymilvus
        self._clients: dict[Path, Any] = {}

    def empty(self, folder: Path, dim: int) -> VectorIndex:
        """See `VectorStore`."""
        (folder / _MANIFEST).unlink(missing_ok=True)
        client = self._client(folder)
        if client.has_collection(_COLLECTION):
            client.drop_collection(_COLLECTION)
        types = self._pymilvus.DataType
        schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("number", types.INT64, is_primary=True)
        schema.add_field("vector", types.FLOAT_VECTOR, dim=dim)
        params = client.prepare_index_params()
        params.add_index("vector", index_type="FLAT", metric_type="IP")
        client.create_collection(_COLLECTION, schema=schema, index_params=params, consistency_level="Strong")
        return MilvusIndex(dim, client, set())

    def load(self, folder: Path, embedder: str, dim: int) -> tuple[VectorIndex, int] | None:
        """See `VectorStore`. What has been written after the last save is written again."""
        try:
            manifest = msgspec.json.decode((folder / _MANIFEST).read_bytes(), type=MilvusManifest)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None
        if (manifest.embedder, manifest.dim) != (embedder, dim):
            return None
        try:
            client = self._client(folder)
            client.load_collection(_COLLECTION)
            rows = client.query(_COLLECTION, filter="number >= 0", output_fields=["count(*)"])
            if rows[0]["count(*)"] < len(manifest.numbers):
                return None
        except Exception as error:  # the database raises what it likes for damaged files
            _log.warning("the vectors in %s can't be read and are built again: %s", folder, error)
            self._discard(folder)
            return None
        index = MilvusIndex(dim, client, set(manifest.numbers))
        index.upto, index.removed = manifest.upto, set(manifest.removed)
        return index, manifest.position

    def _client(self, folder: Path) -> Any:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder not in self._clients:
            try:
                self._clients[folder] = self._pymilvus.MilvusClient(str(folder / _DATABASE))
            except Exception as error:  # whatever the package raises
                raise Misconfigured(f"Milvus Lite can't use {folder}: {error}") from None
        return self._clients[folder]

    def _discard(self, folder: Path) -> None:
        client = self._clients.pop(folder, None)
        if client is not None:
            with contextlib.suppress(Exception):
                client.close()
        shutil.rmtree(folder / _DATABASE, ignore_errors=True)
