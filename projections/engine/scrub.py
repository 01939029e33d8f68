"""Reads rows to see whether they are as they were written: their checksums, their order, their number.

What a flipped bit hit is found before somebody needs it. Rows are read a slice at a time, since a long snapshot keeps
old pages alive.
"""

import time
from itertools import islice
from typing import Final

from clawactors.projections.engine.store import Damaged, Reading, Store

__all__ = ["SLICE", "scrub", "scrub_slice"]

SLICE: Final = 2000
"""Rows that are read in one go: some milliseconds."""

_BREATH_S: Final = 0.001


def scrub(store: Store) -> int:
    """Reads all rows in one moment of the store; returns how many there are. Raises: `Damaged`, `Unavailable`."""
    rows = 0
    with store.snapshot() as reading:
        for table in reading.tables():
            found, after = 0, b""
            while True:
                count, after = _scrub(reading, table, after)
                found += count
                if not after:
                    break
                time.sleep(_BREATH_S)
            if found != reading.count(table):
                raise Damaged(f"table {table} has {found} rows of {reading.count(table)}")
            rows += found
    return rows


def scrub_slice(store: Store, table: str, after: bytes = b"") -> bytes:
    """Reads some rows behind a key; returns the last of their keys, b"" at the end. Raises: as `scrub`."""
    with store.snapshot() as reading:
        return _scrub(reading, table, after)[1]


def _scrub(reading: Reading, table: str, after: bytes) -> tuple[int, bytes]:
    cursor = reading.cursor(table)
    found = cursor.set_range(after) if after else cursor.first()
    if found and cursor.key() == after:
        found = cursor.next()
    count, last = 0, b""
    if found:
        for key, _ in islice(cursor, SLICE):
            count, last = count + 1, key
    return count, last if count == SLICE else b""
