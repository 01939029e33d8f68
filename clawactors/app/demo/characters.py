"""A real table to migrate: every assigned Unicode character, from the database that ships with Python."""

import sqlite3
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

__all__ = ["TABLE", "build_characters"]

TABLE: Final = "characters"

# No primary key: nothing but the migration itself keeps rows from being doubled, so the count of doubled rows can fail.
_SCHEMA: Final = f"""
    CREATE TABLE {TABLE} (
        code INTEGER NOT NULL,
        name TEXT NOT NULL,
        category TEXT NOT NULL,
        bidirectional TEXT NOT NULL,
        decomposition TEXT
    )
"""
_NO_CHARACTER: Final = {"Cn", "Co", "Cs"}  # unassigned, private use, surrogates


def build_characters(path: Path) -> int:
    """Makes the file anew, whole or not at all; returns the number of rows."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with closing(sqlite3.connect(new, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous = OFF")  # it is renamed only when it is whole
        db.execute("BEGIN")
        db.execute(_SCHEMA)
        db.executemany(f"INSERT INTO {TABLE} VALUES (?, ?, ?, ?, ?)", _rows())  # noqa: S608 - a constant
        count: int = db.execute(f"SELECT count(*) FROM {TABLE}").fetchone()[0]  # noqa: S608 - a constant
        db.execute(f"CREATE INDEX {TABLE}_by_name ON {TABLE} (name)")
        db.execute("COMMIT")
    new.replace(path)
    return count


def _rows() -> Iterator[tuple[int, str, str, str, str | None]]:
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        category = unicodedata.category(character)
        if category not in _NO_CHARACTER:
            # What has no name gets the label that the Unicode standard gives it; those are all controls.
            name = unicodedata.name(character, f"<control-{code:04X}>")
            bidirectional = unicodedata.bidirectional(character)
            yield code, name, category, bidirectional, unicodedata.decomposition(character) or None
