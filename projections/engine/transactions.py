"""Transactions of a store, and the checksum that every value carries.

1. A value is stored with a checksum of its key and itself. A value that does not fit its checksum is `Damaged`, so a
   flipped bit is never an answer. Keys without a value carry none: their order is checked where they are scanned.
2. A scan that does not go upwards is `Damaged`: in a damaged tree it would never end.
"""

from collections.abc import Iterator
from typing import Final
from zlib import crc32

import lmdb

from clawactors.eventlog import Corrupt, Unavailable

__all__ = ["META", "Cursor", "Damaged", "Reading", "Tables", "Transaction", "Writing"]

META: Final = "meta.2"
"""The table of every store for what is not a row: position, identity of the log, schema."""

type Transaction = lmdb.Transaction[bytes]
type Tables = dict[str, lmdb._Database]

_CHECKSUM_BYTES: Final = 4
_WHOLE: Final = 0x2144DF1C
"""What `crc32` gives for anything that its own checksum follows."""


class Damaged(Corrupt, Unavailable):
    """Rows can't be read as they were written. They are made again from the log: the same call may succeed later."""


class Cursor:
    """A cursor over a table; its moves say whether there is a key."""

    __slots__ = ("_cursor", "_table", "first", "key", "last", "next", "prev", "set_range")

    def __init__(self, table: str, cursor: "lmdb.Cursor[bytes]") -> None:
        self._table, self._cursor = table, cursor
        self.first, self.last, self.next, self.prev = cursor.first, cursor.last, cursor.next, cursor.prev
        self.set_range, self.key = cursor.set_range, cursor.key

    def value(self) -> bytes:
        """The value at the cursor, b"" where it is beyond an end. Raises: `Damaged`."""
        return self.item()[1]

    def item(self) -> tuple[bytes, bytes]:
        """Key and value at the cursor. Raises: `Damaged`."""
        key, stored = self._cursor.item()
        return key, _checked(self._table, key, stored) if stored else stored

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        """The items from here upwards, from the first where the cursor is nowhere. Raises: `Damaged`."""
        table, before = self._table, b""
        for key, stored in self._cursor:
            if key <= before:
                raise Damaged(f"the keys of table {table} are not in order")
            before = key
            yield key, _checked(table, key, stored) if stored else stored


class Reading:
    """A read transaction: one moment of a store."""

    def __init__(self, transaction: Transaction, tables: Tables) -> None:
        self._transaction, self._tables = transaction, tables

    def get(self, table: str, key: bytes) -> bytes | None:
        """The value of a key. Raises: `Damaged`."""
        try:
            stored = self._transaction.get(key, db=self._tables[table])
        except lmdb.BadValsizeError:  # no row has a key that is empty, or longer than a store takes
            return None
        return _checked(table, key, stored) if stored else stored

    def cursor(self, table: str) -> Cursor:
        """A cursor over the keys of a table, in order."""
        return Cursor(table, self._transaction.cursor(db=self._tables[table]))

    def count(self, table: str) -> int:
        """How many keys a table has."""
        return self._transaction.stat(self._tables[table])["entries"]

    def tables(self) -> list[str]:
        """The names of all tables, in order."""
        return sorted(self._tables)

    def sizes(self) -> Iterator[tuple[str, int, int]]:
        """`(table, rows, bytes)` of every table, by name."""
        for table in self.tables():
            found = self._transaction.stat(self._tables[table])
            pages = found["branch_pages"] + found["leaf_pages"] + found["overflow_pages"]
            yield table, found["entries"], pages * found["psize"]


class Writing(Reading):
    """A write transaction; it reads what it has put."""

    def put(self, table: str, key: bytes, value: bytes) -> None:
        """Sets a key."""
        self._transaction.put(key, _sealed(key, value) if value else value, db=self._tables[table])

    def put_all(self, table: str, items: list[tuple[bytes, bytes]]) -> None:
        """Sets many keys; much faster than one at a time. Sorts the list, since neighbours are cheap."""
        if not items:
            return
        items.sort()
        sealed = [  # as `_sealed`, which would be a call for each
            (key, value + crc32(value, crc32(key)).to_bytes(_CHECKSUM_BYTES, "little") if value else value)
            for key, value in items
        ]
        cursor = self._transaction.cursor(db=self._tables[table])
        # Behind all others they need no search, and fill pages to the end; of equal keys the first would be kept.
        behind = not cursor.last() or cursor.key() < sealed[0][0]
        if not behind or cursor.putmulti(sealed, append=True)[1] < len(sealed):
            cursor.putmulti(sealed)

    def delete(self, table: str, key: bytes) -> None:
        """Removes a key; harmless where it is absent."""
        self._transaction.delete(key, db=self._tables[table])


def _sealed(key: bytes, value: bytes) -> bytes:
    return value + crc32(value, crc32(key)).to_bytes(_CHECKSUM_BYTES, "little")


def _checked(table: str, key: bytes, stored: bytes) -> bytes:
    if crc32(stored, crc32(key)) != _WHOLE:
        raise Damaged(f"a row of table {table} does not fit its checksum")
    return stored[:-_CHECKSUM_BYTES]
