"""One LMDB environment in a folder of its own: named tables, one writer, readers in any process.

1. What one `write` puts is seen together or not at all, after any kill and any power cut.
2. A `snapshot` sees one moment, however long it lasts. Keep it short: it keeps old pages alive.
3. A file that is cut short or not ours is `Corrupt` when it is opened, never a crash of the process.
4. Damage that is met later is `Damaged`, and noted in the folder, so that nobody trusts the store again.
"""

import contextlib
import logging
import mmap
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import lmdb

from clawactors.eventlog import Corrupt, Misconfigured, Unavailable
from clawactors.projections.engine import durable
from clawactors.projections.engine.damage import STORE_FILE, damage_noted, note_damage
from clawactors.projections.engine.transactions import META, Cursor, Damaged, Reading, Tables, Transaction, Writing

__all__ = ["META", "Cursor", "Damaged", "MapFull", "Reading", "Store", "Writing"]

_MAP_BYTES: Final = 1 << 40  # address space, not disk: the file grows with what is written
_LEAST_MAP_BYTES: Final = 1 << 26
_READERS: Final = 512
_WRITES_PER_CHECK: Final = 1024
_GROW_S: Final = 5.0

_DAMAGE: Final = (
    lmdb.BadChecksumError,
    lmdb.BadDbiError,
    lmdb.BadTxnError,
    lmdb.CorruptedError,
    lmdb.CursorFullError,
    lmdb.IncompatibleError,
    lmdb.InvalidError,
    lmdb.NotFoundError,
    lmdb.PageFullError,
    lmdb.PageNotFoundError,
    lmdb.PanicError,
    lmdb.ProblemError,
    lmdb.VersionMismatchError,
)
_TROUBLE: Final = (lmdb.DiskError, lmdb.ReadonlyError, lmdb.LockError, lmdb.MemoryError)

_log = logging.getLogger(__name__)


class MapFull(Unavailable):
    """The store needs a larger map: `grow` it and write the same again."""


class Store:
    """An open environment; `path` is its folder. One object a process and folder."""

    def __init__(self, path: Path, environment: lmdb.Environment, tables: Tables) -> None:
        self.path = path
        self.damage = ""
        """What was found wrong with it, '' as long as nothing was."""
        self.on_damage: Callable[[], None] = _nothing
        """Called once, in the thread that met the damage."""
        self._environment, self._tables = environment, tables
        self._open_snapshots, self._growing = 0, False
        self._mapping = threading.Condition()  # the map must not move while a reader of this process begins
        self._writes = 0

    @classmethod
    def open(cls, path: Path, tables: Sequence[str], *, readonly: bool = False, map_bytes: int = _MAP_BYTES) -> "Store":
        """Opens the store, made where it is missing unless `readonly`.

        Raises: `Corrupt` for what is no store of this release, `Damaged`; `Misconfigured` where the folder can't be
        used.
        """
        if reason := damage_noted(path):
            raise Damaged(f"{path} is damaged: {reason}")
        try:
            if not readonly:
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
            elif not (path / STORE_FILE).exists() or not (path / STORE_FILE).stat().st_size:
                raise Corrupt(f"{path} holds no view")
            environment = _environment(path, len(tables) + 1, readonly, map_bytes)
            try:
                return cls(path, environment, _tables(path, environment, tables, readonly))
            except BaseException:
                environment.close()
                raise
        except lmdb.NotFoundError as error:
            raise Corrupt(f"{path} was made by another release") from error
        except _DAMAGE as error:
            raise Damaged(f"{path} is damaged: {error}") from error
        except (lmdb.Error, OSError) as error:
            hint = "it must be a folder that this user may write, or be deleted: it is made again from the log"
            raise Misconfigured(f"can't use {path}: {error}; {hint}") from error

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Reading]:
        """The present moment, for reading. Raises: `Damaged`, `Unavailable`."""
        with self._guarded():
            with self._mapping:
                if self._growing:
                    self._mapping.wait_for(lambda: not self._growing)
                transaction = self._begin()
                self._open_snapshots += 1
            try:
                yield Reading(transaction, self._tables)
            finally:
                transaction.abort()
                with self._mapping:
                    self._open_snapshots -= 1
                    self._mapping.notify_all()

    def _begin(self) -> Transaction:
        try:
            return self._environment.begin(buffers=False)
        except lmdb.MapResizedError:  # the writer, in another process, has grown it
            self._environment.set_mapsize(0)
        except lmdb.ReadersFullError:
            self._environment.reader_check()  # places of readers that were killed
        return self._environment.begin(buffers=False)

    @contextlib.contextmanager
    def write(self) -> Iterator[Writing]:
        """The next moment: all that is put, or nothing where the block raises.

        Raises: `MapFull`, `Unavailable` (say, a full disk), `Damaged`.
        """
        self._writes += 1
        if self._writes % _WRITES_PER_CHECK == 0:
            self._environment.reader_check()
        with self._guarded(), self._environment.begin(write=True, buffers=False) as transaction:
            yield Writing(transaction, self._tables)

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """Turns what LMDB raises, and what does not decode, into whose fault it is."""
        try:
            yield
        except lmdb.MapFullError as error:
            raise MapFull(f"{self.path} has reached the size of its map") from error
        except (Corrupt, *_DAMAGE) as error:
            self.note(str(error))
            raise Damaged(f"{self.path} is damaged: {error}") from error
        except (lmdb.ReadersFullError, *_TROUBLE) as error:
            raise Unavailable(f"can't use {self.path}: {error}") from error
        except lmdb.Error as error:
            if type(error) is not lmdb.Error:
                raise  # a mistake of ours
            raise Unavailable(f"can't use {self.path}: {error}") from error  # what the system says, such as EIO

    def note(self, reason: str) -> None:
        """Its rows can't be trusted: they are to be made again."""
        if self.damage:
            return
        self.damage = reason
        _log.error("%s is damaged: %s; it will be made again from the log", self.path, reason)
        note_damage(self.path, reason)
        self.on_damage()

    def grow(self) -> None:
        """Doubles the map; new snapshots wait meanwhile.

        Raises: `Unavailable` where this process goes on reading an older one.
        """
        with self._mapping:
            self._growing = True
            try:
                if not self._mapping.wait_for(lambda: not self._open_snapshots, _GROW_S):
                    raise Unavailable(f"{self.path} can't grow while it is read")
                self._environment.set_mapsize(2 * self._environment.info()["map_size"])
            finally:
                self._growing = False
                self._mapping.notify_all()

    def copy(self, to: Path) -> None:
        """Writes it to a new folder, without the space of deleted rows. Raises: `Unavailable`, `Damaged`."""
        to.mkdir(mode=0o700, parents=True)
        with self._guarded():
            self._environment.copy(str(to), compact=True)
            durable.sync(to / STORE_FILE)
            durable.sync(to)

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
        except (lmdb.MemoryError, MemoryError) as error:
            # An account with little address space gets a smaller map; it grows when it has to.
            map_bytes //= 4
            if map_bytes < _LEAST_MAP_BYTES:
                mmap.mmap(-1, _LEAST_MAP_BYTES).close()  # raises where the fault is not that of the file
                raise Damaged(f"{path} asks for a map that can't be had") from error


def _tables(path: Path, environment: lmdb.Environment, tables: Sequence[str], readonly: bool) -> Tables:
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
    file = path / STORE_FILE
    if environment.info()["last_txnid"] and file.stat().st_size < needed:
        raise Damaged(f"{file} is cut short: {file.stat().st_size} of {needed} bytes are left")


def _nothing() -> None:
    pass
