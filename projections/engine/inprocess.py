"""The store in memory: the same tables, cursors and transactions as in LMDB, for one process and its lifetime.

1. What one `write` puts is seen together or not at all: a block that raises leaves nothing.
2. A `snapshot` is the present moment; nothing may be written while it is read. All calls are made in one thread.
"""

import contextlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast, override

from clawactors.projections.engine.store import META, Cursor, Reading, Store, Writing

__all__ = ["InProcessStore"]


class _Table:
    """Keys in order, and their values."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.keys: list[bytes] = []

    def set(self, key: bytes, value: bytes | None) -> bytes | None:
        """Sets or, with None, removes a key; returns what it had."""
        before = self.values.get(key)
        if value is None:
            if before is not None:
                del self.values[key], self.keys[bisect_left(self.keys, key)]
        else:
            if before is None:
                self.keys.insert(bisect_left(self.keys, key), key)
            self.values[key] = value
        return before


class _TableCursor:
    """As `lmdb.Cursor`, as far as views use it: a move beyond an end finds nothing, and leaves it where it was."""

    def __init__(self, table: _Table) -> None:
        self._table, self._at, self._found = table, -1, False

    def _move(self, at: int) -> bool:
        self._found = 0 <= at < len(self._table.keys)
        if self._found:
            self._at = at
        return self._found

    def first(self) -> bool:
        return self._move(0)

    def last(self) -> bool:
        return self._move(len(self._table.keys) - 1)

    def next(self) -> bool:
        return self._move(self._at + 1)

    def prev(self) -> bool:
        return self.last() if self._at < 0 else self._move(self._at - 1)

    def set_range(self, key: bytes) -> bool:
        self._at = bisect_left(self._table.keys, key)
        return self._move(self._at)

    def key(self) -> bytes:
        return self._table.keys[self._at] if self._found else b""

    def value(self) -> bytes:
        return self._table.values[self.key()] if self._found else b""

    def item(self) -> tuple[bytes, bytes]:
        return self.key(), self.value()

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        found = self._found or self.first()
        while found:
            yield self.item()
            found = self.next()


class _TableReading(Reading):
    def __init__(self, tables: dict[str, _Table]) -> None:
        self._named = tables

    @override
    def get(self, table: str, key: bytes) -> bytes | None:
        return self._named[table].values.get(key)

    @override
    def cursor(self, table: str) -> Cursor:
        return cast("Any", _TableCursor(self._named[table]))  # type: ignore[no-any-return] # it is no class of lmdb

    @override
    def count(self, table: str) -> int:
        return len(self._named[table].keys)

    @override
    def sizes(self) -> Iterator[tuple[str, int, int]]:
        for name in sorted(self._named):
            values = self._named[name].values
            yield name, len(values), sum(len(key) + len(value) for key, value in values.items())


class _TableWriting(_TableReading, Writing):
    def __init__(self, tables: dict[str, _Table]) -> None:
        super().__init__(tables)
        self._undo: list[tuple[str, bytes, bytes | None]] = []

    def _set(self, table: str, key: bytes, value: bytes | None) -> None:
        self._undo.append((table, key, self._named[table].set(key, value)))

    @override
    def put(self, table: str, key: bytes, value: bytes) -> None:
        self._set(table, key, value)

    @override
    def put_all(self, table: str, items: list[tuple[bytes, bytes]]) -> None:
        for key, value in items:
            self._set(table, key, value)

    @override
    def delete(self, table: str, key: bytes) -> None:
        self._set(table, key, None)

    def undo(self) -> None:
        """Everything is as before."""
        for table, key, before in reversed(self._undo):
            self._named[table].set(key, before)


class InProcessStore(Store):
    """A `Store` without a folder."""

    def __init__(self, tables: Sequence[str]) -> None:
        self.path, self.damage = Path("memory"), ""
        self._named = {name: _Table() for name in (META, *tables)}

    @override
    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Reading]:
        yield _TableReading(self._named)

    @override
    @contextlib.contextmanager
    def write(self) -> Iterator[Writing]:
        writing = _TableWriting(self._named)
        try:
            yield writing
        except BaseException:
            writing.undo()
            raise

    @property
    @override
    def size_bytes(self) -> int:
        return sum(size_bytes for _, _, size_bytes in _TableReading(self._named).sizes())

    @override
    def wait_unread(self) -> None:
        """Nothing is read beside the caller."""

    @override
    def close(self) -> None:
        """Nothing is held open."""
