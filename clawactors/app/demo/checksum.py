"""What a table holds, as figures that two tables can be compared by."""

import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

__all__ = ["doubled_rows", "open_read_only", "quoted", "row_count", "table_checksum"]

_MODULUS = 1 << 256


def quoted(name: str) -> str:
    """A name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def open_read_only(path: Path) -> sqlite3.Connection:
    """The file, which has to exist. Text that is no UTF-8 is kept, in surrogates."""
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    db.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    return db


def row_count(path: Path, table: str) -> int:
    """How many rows the table has."""
    with closing(open_read_only(path)) as db:
        return int(db.execute(f"SELECT count(*) FROM {quoted(table)}").fetchone()[0])  # noqa: S608 - quoted


def table_checksum(path: Path, table: str) -> str:
    """A digest over the names of the columns and all rows with their values and types, whatever their order.

    It is a sum of one SHA-256 a row, so a row that is there twice counts twice.
    """
    with closing(open_read_only(path)) as db:
        rows = db.execute(f"SELECT * FROM {quoted(table)}")  # noqa: S608 - quoted
        total = _number(tuple(column[0] for column in rows.description))
        for row in rows:
            total += _number(row)
        return f"{total % _MODULUS:064x}"


def doubled_rows(path: Path, table: str) -> int:
    """How many rows repeat another one in every column."""
    with closing(open_read_only(path)) as db:
        query = (
            f"SELECT count(*) - (SELECT count(*) FROM (SELECT DISTINCT * FROM {quoted(table)})) FROM {quoted(table)}"  # noqa: S608 - quoted
        )
        return int(db.execute(query).fetchone()[0])


def _number(row: tuple[object, ...]) -> int:
    # `repr` tells 1 from 1.0, '1' and b'1', and no two rows apart have the same.
    return int.from_bytes(sha256(repr(row).encode()).digest())
