"""Sums by word, added up in memory and written once a batch; a word whose sums are all 0 has no row."""

from collections.abc import Callable, Iterator

import msgspec

from clawactors.projections.engine.index import ascending
from clawactors.projections.engine.keys import term
from clawactors.projections.engine.store import Reading, Writing

__all__ = ["Tally", "sums", "sums_of"]

_WORD = b"w"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[str, list[int]]).decode


class Tally:
    """Sums in one table; each word has `width` of them. `field`, one byte, keeps several tallies of a table apart.

    `key(field, word)` is the key of a word's row.
    """

    def __init__(self, table: str, width: int, field: bytes = _WORD, key: Callable[[bytes, str], bytes] = term) -> None:
        self._table, self._width, self._field, self._key = table, width, field, key
        self._added: dict[str, list[int]] = {}

    def add(self, word: str, column: int, amount: int) -> None:
        """Adds to one sum of a word."""
        added = self._added.get(word)
        if added is None:
            added = self._added[word] = [0] * self._width
        added[column] += amount

    def write(self, txn: Writing) -> None:
        """Puts the new sums."""
        for word, added in self._added.items():
            if any(added):
                key = self._key(self._field, word)
                before = _sums(txn.get(self._table, key), self._width)
                total = [a + b for a, b in zip(before, added, strict=True)]
                if any(total):
                    txn.put(self._table, key, _encode((word, total)))
                else:
                    txn.delete(self._table, key)
        self._added.clear()

    def forget(self) -> None:
        """Drops what is not written."""
        self._added.clear()


def sums_of(reading: Reading, table: str, word: str, width: int, field: bytes = _WORD) -> list[int]:
    """The sums of one word whose key is its term, zeros where it has none."""
    return _sums(reading.get(table, term(field, word)), width)


def _sums(value: bytes | None, width: int) -> list[int]:
    return [0] * width if value is None else _decode(value)[1]


def sums(reading: Reading, table: str, field: bytes = _WORD) -> Iterator[tuple[str, list[int]]]:
    """Every word with its sums, in the order of their keys."""
    for key, value in ascending(reading, table, field):
        if not key.startswith(field):
            return
        yield _decode(value)
