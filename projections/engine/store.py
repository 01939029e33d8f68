"""One LMDB environment in a folder of its own: named tables, one writer, readers in any process.

1. What one `write` puts is seen together or not at all, after any kill and any power cut.
2. A `snapshot` sees one moment, however long it lasts. Keep it short: it keeps old pages alive.
3. A file that is damaged, cut short or not ours is `Corrupt` when it is opened, never a crash of the process.
"""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import lmdb

from clawactors.eventlog import Corrupt, Misconfigured, Unavailable

__all__ = ["META", "Cursor", "MapFull", "Reading", "Store", "Writing"]

META: Final = "meta"
"""The table of every store for what is not a row: position, identity of the log, schema."""

type Cursor = lmdb.Cursor[bytes]
type _Transaction = lmdb.Transaction[bytes]
type _Tables = dict[str, lmdb._Database]

_MAP_BYTES: Final = 1 << 40  # address space, not disk: the file grows with what is written
_LEAST_MAP_BYTES: Final = 1 << 26
_READERS: Final = 512
_FILE: Final = "data.mdb"
_WRITES_PER_CHECK: Final = 1024

_DAMAGE: Final = (
    lmdb.BadChecksumError,
    lmdb.BadTxnError,
    lmdb.CorruptedError,
    lmdb.IncompatibleError,
    lmdb.InvalidError,
    lmdb.NotFoundError,
    lmdb.PageNotFoundError,
    lmdb.PanicError,
    lmdb.VersionMismatchError,
)


class MapFull(Unavailable):
    """The store needs a larger map: `grow` it and write the same again."""


class Reading:
    """A read transaction: one moment of a store."""

    def __init__(self, transaction: _Transaction, tables: _Tables) -> None:
        self._transaction, self._tables = transaction, tables

    def get(self, table: str, key: bytes) -> bytes | None:
        """The value of a key."""
        return self._transaction.get(key, db=self._tables[table])

    def cursor(self, table: str) -> Cursor:
        """A cursor over the keys of a table, in order."""
        return self._transaction.cursor(db=self._tables[table])

    def count(self, table: str) -> int:
        """How many keys a table has."""
        return self._transaction.stat(self._tables[table])["entries"]

    def sizes(self) -> Iterator[tuple[str, int, int]]:
        """`(table, rows, bytes)` of every table, by name."""
        for table in sorted(self._tables):
            found = self._transaction.stat(self._tables[table])
            pages = found["branch_pages"] + found["leaf_pages"] + found["overflow_pages"]
            yield table, found["entries"], pages * found["psize"]


class Writing(Reading):
    """A write transaction; it reads what it has put."""

    def put(self, table: str, key: bytes, value: bytes) -> None:
        """Sets a key."""
        self._transaction.put(key, value, db=self._tables[table])

    def put_all(self, table: str, items: list[tuple[bytes, bytes]]) -> None:
        """Sets many keys; much faster than one at a time. Sorts the list, since neighbours are cheap."""
        if not items:
            return
        items.sort()
        cursor = self._transaction.cursor(db=self._tables[table])
        # Behind all others they need no search, and fill pages to the end; of equal keys the first would be kept.
        behind = not cursor.last() or cursor.key() < items[0][0]
        if not behind or cursor.putmulti(items, append=True)[1] < len(items):
            cursor.putmulti(items)

    def delete(self, table: str, key: bytes) -> None:
        """Removes a key; harmless where it is absent."""
        self._transaction.delete(key, db=self._tables[table])


class Store:
    """An open environment; `path` is its folder. One object a process and folder."""

    def __init__(self, path: Path, environment: lmdb.Environment, tables: _Tables) -> None:
        self.path = path
        self._environment, self._tables = environment, tables
        self._open_snapshots = 0
        self._mapping = threading.Condition()  # the map must not move while a reader of this process begins
        self._writes = 0

    @classmethod
    def open(cls, path: Path, tables: Sequence[str], *, readonly: bool = False, map_bytes: int = _MAP_BYTES) -> "Store":
        """Opens the store, made where it is missing unless `readonly`.

        Raises: `Corrupt`; `Misconfigured` where the folder can't be used.
        """
        try:
            with _explained(path):
                if not readonly:
                    path.mkdir(mode=0o700, parents=True, exist_ok=True)
                elif not (path / _FILE).exists() or not (path / _FILE).stat().st_size:
                    raise Corrupt(f"{path} holds no view")
                environment = _environment(path, len(tables) + 1, readonly, map_bytes)
                try:
                    return cls(path, environment, _tables(path, environment, tables, readonly))
                except BaseException:
                    environment.close()
                    raise
        except (lmdb.Error, OSError) as error:
            raise Misconfigured(f"can't use {path}: {error}") from error

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Reading]:
        """The present moment, for reading."""
        with _explained(self.path):
            with self._mapping:
                transaction = self._begin()
                self._open_snapshots += 1
            try:
                yield Reading(transaction, self._tables)
            finally:
                transaction.abort()
                with self._mapping:
                    self._open_snapshots -= 1
                    self._mapping.notify_all()

    def _begin(self) -> _Transaction:
        try:
            return self._environment.begin(buffers=False)
        except lmdb.MapResizedError:  # the writer, in another process, has grown it
            self._environment.set_mapsize(0)
            return self._environment.begin(buffers=False)

    @contextlib.contextmanager
    def write(self) -> Iterator[Writing]:
        """The next moment: all that is put, or nothing where the block raises.

        Raises: `MapFull`, `Unavailable` (say, a full disk), `Corrupt`.
        """
        self._writes += 1
        if self._writes % _WRITES_PER_CHECK == 0:
            self._environment.reader_check()
        with _explained(self.path), self._environment.begin(write=True, buffers=False) as transaction:
            yield Writing(transaction, self._tables)

    def grow(self) -> None:
        """Doubles the map.

        Raises: `Unavailable` while this process reads a snapshot.
        """
        with self._mapping:
            if self._open_snapshots:
                raise Unavailable(f"{self.path} can't grow while it is read")
            self._environment.set_mapsize(2 * self._environment.info()["map_size"])

    @property
    def size_bytes(self) -> int:
        """What it takes on disk."""
        return (self._environment.info()["last_pgno"] + 1) * self._environment.stat()["psize"]

    def wait_unread(self) -> None:
        """Returns once this process reads no snapshot of it."""
        with self._mapping:
            self._mapping.wait_for(lambda: not self._open_snapshots)

    @property
    def is_read_by_any(self) -> bool:
        """True while any process reads a snapshot of it."""
        self._environment.reader_check()
        slots = self._environment.readers().splitlines()[1:]  # pid, thread, transaction or "-"
        return any(not slot.endswith("-") for slot in slots)

    def close(self) -> None:
        """Syncs and closes it. Order: idempotent."""
        with contextlib.suppress(lmdb.Error):  # read-only, or closed already
            self._environment.sync(True)
        self._environment.close()


def _environment(path: Path, tables: int, readonly: bool, map_bytes: int) -> lmdb.Environment:
    while True:
        try:
            return lmdb.open(
                str(path),
                map_size=map_bytes,
                max_dbs=tables,
                max_readers=_READERS,
                metasync=False,  # a power cut loses the last write at most; `sync=False` would lose the file
                readonly=readonly,
                create=not readonly,
                mode=0o600,
            )
        except (lmdb.MemoryError, MemoryError):
            # An account with little address space gets a smaller map; it grows when it has to.
            map_bytes //= 4
            if map_bytes < _LEAST_MAP_BYTES:
                raise


def _tables(path: Path, environment: lmdb.Environment, tables: Sequence[str], readonly: bool) -> _Tables:
    _check_size(path, environment)
    environment.reader_check()  # a reader that was killed would keep old pages
    if environment.stat()["entries"]:
        environment.open_db(META.encode(), create=False)
    elif readonly:
        raise Corrupt(f"{path} holds no view")
    return {name: environment.open_db(name.encode(), create=not readonly) for name in (META, *tables)}


def _check_size(path: Path, environment: lmdb.Environment) -> None:
    """A page beyond the end of the file would kill the process when it is touched."""
    needed = (environment.info()["last_pgno"] + 1) * environment.stat()["psize"]
    file = path / _FILE
    if environment.info()["last_txnid"] and file.stat().st_size < needed:
        raise Corrupt(f"{file} is cut short: {file.stat().st_size} of {needed} bytes are left")


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turns what LMDB raises into whose fault it is."""
    try:
        yield
    except lmdb.MapFullError as error:
        raise MapFull(f"{path} has reached the size of its map") from error
    except _DAMAGE as error:
        raise Corrupt(f"{path} is damaged: {error}") from error
    except lmdb.DiskError as error:
        raise Unavailable(f"can't write {path}: {error}") from error
