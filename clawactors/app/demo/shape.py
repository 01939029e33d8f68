"""The shape of a SQLite table, as needed to copy it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from clawactors.app.demo.checksum import open_read_only, quoted

__all__ = ["Shape", "shape_of", "table_names"]


class Shape(msgspec.Struct, frozen=True):
    """A table: the name that its rowid goes by, the columns that can be written, how it and its indexes are made."""

    name: str
    rowid: str
    columns: tuple[str, ...]
    schema: str
    indexes: dict[str, str]
    encoding: str


def table_names(path: Path) -> list[str]:
    """The tables that people made in a file; SQLite's own and those of migrations begin with `sqlite_` and `_claw_`."""
    with closing(open_read_only(path)) as db:
        rows = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        return [name for (name,) in rows if not name.startswith(("sqlite_", "_claw_"))]


def shape_of(path: Path, table: str) -> Shape:
    """Raises: `ValueError` for a table that is not there, or has no rowid to tell its rows apart by."""
    with closing(open_read_only(path)) as db:
        found = db.execute("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", (table,)).fetchone()
        if found is None:
            raise ValueError(f"{path} has no table {table!r}")
        columns = tuple(row[1] for row in db.execute(f"PRAGMA table_info({quoted(table)})"))
        rowid = _rowid(db, table, columns)
        if rowid is None or found[0].upper().startswith("CREATE VIRTUAL"):
            raise ValueError(f"{table!r} in {path} has no rowid to go by")
        indexes = db.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL", (table,)
        )
        encoding = db.execute("PRAGMA encoding").fetchone()[0]
        return Shape(table, rowid, columns, found[0], dict(indexes.fetchall()), encoding)


def _rowid(db: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> str | None:
    taken = {column.lower() for column in columns}
    for name in ("rowid", "oid", "_rowid_"):
        if name not in taken:
            try:
                db.execute(f"SELECT {name} FROM {quoted(table)} LIMIT 0")  # noqa: S608 - quoted
            except sqlite3.OperationalError:  # WITHOUT ROWID
                return None
            return name
    return None
