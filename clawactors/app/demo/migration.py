"""One table on its way from one SQLite file into another, batch by batch, so that it can be killed at any moment.

1. The rows of a batch and its line in the ledger are one transaction of the target: either both are there or none is.
2. So a batch that runs again finds its line and only repeats what it said: right by itself, whatever else was recorded.
3. Rows keep their rowid, and a batch is the next rows behind one: gaps and deletions shift nothing.
4. The ledger stays in the target: even if every record but the rows were lost, all of it may run again.
5. A batch is on disk when `copy` returns, since its step goes on record as done then.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from clawactors.app.demo.checksum import quoted, row_count, table_checksum
from clawactors.app.demo.shape import shape_of, table_names

__all__ = ["BATCH", "FIRST", "Migration"]

BATCH: Final = 100
FIRST: Final = -(1 << 63)
"""The smallest rowid there can be."""

_LEDGER: Final = ("_claw_migration", "_claw_batch")
_WAIT_S: Final = 10.0
_MAY_PASS: Final = frozenset(
    (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM)
)


class Migration:
    """Used in a `with`, in one thread. `task` owns what it writes: another task is refused the same target.

    Raises, everywhere: `ValueError` for what stays wrong however often one tries, else what sqlite3 raises.
    """

    def __init__(self, task: str, source: Path, target: Path, table: str = "") -> None:
        if not source.is_file():
            raise ValueError(f"there is no file {source}")
        if target.exists() and target.samefile(source):
            raise ValueError(f"source and target are the same file {source}")
        if not target.parent.is_dir():
            raise ValueError(f"there is no folder {target.parent}")
        self.task, self.source, self.target = task, source, target
        with self._explained():
            self.shape = shape_of(source, table or self._only_table())
            self._db = sqlite3.connect(target.absolute().as_uri(), uri=True, timeout=_WAIT_S, isolation_level=None)
        try:
            with self._explained():
                self._db.execute(f"PRAGMA encoding = '{self.shape.encoding}'")  # what is attached must have the same
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = FULL")
                self._db.execute("ATTACH ? AS source", (f"{source.absolute().as_uri()}?mode=ro",))
        except BaseException:
            self._db.close()
            raise
        self.table, rowid = self.shape.name, self.shape.rowid
        quoted_table, names = quoted(self.table), ", ".join((rowid, *map(quoted, self.shape.columns)))
        span = f"FROM source.{quoted_table} WHERE {rowid} >= ? ORDER BY {rowid} LIMIT ?"
        self._insert = f"INSERT INTO main.{quoted_table} ({names}) SELECT {names} {span}"
        self._span = f"SELECT count(*), max({rowid}) FROM (SELECT {rowid} {span})"  # noqa: S608 - quoted

    def _only_table(self) -> str:
        tables = table_names(self.source)
        if len(tables) != 1:
            raise ValueError(f"{self.source} has {len(tables)} tables; choose one: {', '.join(tables)}")
        return tables[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._db.close()

    def prepare(self) -> dict[str, Any]:
        """Makes the table in the target; `{"rows": …}` says how many are to come."""
        with self._writing():
            if self._exists(self.table):
                return self._continued()
            rows = self._db.execute(f"SELECT count(*) FROM source.{quoted(self.table)}").fetchone()[0]  # noqa: S608
            self._db.execute(self.shape.schema)
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS _claw_migration (name TEXT PRIMARY KEY, task TEXT, rows INTEGER)"
            )
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS _claw_batch"
                " (name TEXT, start INTEGER, rows INTEGER, last INTEGER, PRIMARY KEY (name, start))"
            )
            self._db.execute("INSERT INTO _claw_migration VALUES (?, ?, ?)", (self.table, self.task, rows))
            return {"rows": rows}

    def _continued(self) -> dict[str, Any]:
        owner = None
        if self._exists(_LEDGER[0]):
            owner = self._db.execute("SELECT task, rows FROM _claw_migration WHERE name = ?", (self.table,)).fetchone()
        if owner is None or owner[0] != self.task:
            raise ValueError(f"{self.target} has a table {self.table!r} already, and this task did not write it")
        return {"rows": owner[1]}

    def copy(self, start: int, first: int, batch: int) -> dict[str, int]:
        """Copies the next rows from the rowid `first` on; gives their number and the last one's rowid."""
        with self._writing():
            if not self._exists(_LEDGER[1]):
                raise ValueError(f"{self.target} is not the file that this migration began with")
            known = self._db.execute(
                "SELECT rows, last FROM _claw_batch WHERE name = ? AND start = ?", (self.table, start)
            ).fetchone()
            if known is None:
                known = self._db.execute(self._span, (first, batch)).fetchone()
                if not known[0]:
                    raise ValueError(f"{self.source} has lost rows since the migration began")
                self._db.execute(self._insert, (first, batch))
                self._db.execute("INSERT INTO _claw_batch VALUES (?, ?, ?, ?)", (self.table, start, *known))
            return {"rows": known[0], "last": known[1]}

    def index(self) -> int:
        """Makes the indexes that the source has; returns how many."""
        with self._writing():
            for name, sql in self.shape.indexes.items():
                if not self._exists(name):
                    self._db.execute(sql)
        return len(self.shape.indexes)

    def verify(self) -> dict[str, Any]:
        """The number of rows and the checksum, which are those of the source."""
        with self._explained():
            rows, checksum = row_count(self.target, self.table), table_checksum(self.target, self.table)
            wanted = row_count(self.source, self.table), table_checksum(self.source, self.table)
        if (rows, checksum) != wanted:
            raise ValueError(
                f"{self.table!r} has {wanted[0]} rows with checksum {wanted[1][:12]} in {self.source}, "
                f"but {rows} with {checksum[:12]} in {self.target}: was one of them changed during the migration?"
            )
        return {"rows": rows, "checksum": checksum}

    def _exists(self, name: str) -> bool:
        return bool(self._db.execute("SELECT 1 FROM main.sqlite_schema WHERE name = ?", (name,)).fetchone())

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._explained(), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _MAY_PASS:
                raise
            raise ValueError(f"{self.source} to {self.target}: {error}") from error
