"""Rows of an answer of any size: the first ones in memory, for a table; all of them in a file, for JSON."""

import sys
import tempfile
from collections.abc import Callable, Iterable
from typing import Any, Final, Self

import msgspec

from clawactors.app.cli.output import Part, emit

__all__ = ["SHOWN", "RowSpool"]

SHOWN: Final = 100
"""So many rows are kept for people."""

_IN_MEMORY_BYTES: Final = 4 << 20
_BLOCK_BYTES: Final = 1 << 20


class RowSpool:
    """Add rows, then print them once; a `with` block deletes the file."""

    def __init__(self) -> None:
        self.first: list[dict[str, Any]] = []
        self.count = 0
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 # closed by `__exit__`
        self._encode = msgspec.json.Encoder().encode

    def add(self, row: dict[str, Any]) -> None:
        """Adds a row."""
        if self.count < SHOWN:
            self.first.append(row)
        self._file.write((b"," if self.count else b"[") + self._encode(row))
        self.count += 1

    def emit(self, options: Any, parts: Callable[[], Iterable[Part]]) -> None:
        """Prints the rows as one JSON document, or the parts for people."""
        if not options.json:
            emit(options, None, parts)
            return
        self._file.write(b"]\n" if self.count else b"[]\n")
        self._file.seek(0)
        sys.stdout.flush()
        while block := self._file.read(_BLOCK_BYTES):
            sys.stdout.buffer.write(block)
        sys.stdout.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
