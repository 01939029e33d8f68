"""Walks through sorted keys, newest first: one list, several (`Union`) or their intersection (`newest`).

All keys with one prefix are a list of the rows with one value; its walk seeks instead of scanning. So an intersection
costs as many seeks as its shortest list has keys, and a search ends early when it has used up its `Effort`.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from clawactors.projections.engine.store import Reading

__all__ = ["Effort", "PrefixWalk", "Union", "Walk", "any_of", "ascending", "newest"]


class Effort:
    """What a search may still do, in seeks, by default all.

    `stopped_at` is the greatest key that it did not look at any more.
    """

    def __init__(self, seeks: int = 1 << 62) -> None:
        self.left = seeks
        self.stopped_at: bytes | None = None


class Walk(Protocol):
    """A sorted set of keys that is searched downwards."""

    def at_most(self, key: bytes) -> bytes | None:
        """The greatest key that is not above `key`, None when there is none."""
        ...


class PrefixWalk:
    """The keys of a table that start with a prefix, without it."""

    def __init__(self, reading: Reading, table: str, prefix: bytes = b"") -> None:
        cursor = reading.cursor(table)
        self._set_range, self._key, self._prev, self._last = cursor.set_range, cursor.key, cursor.prev, cursor.last
        self._prefix, self._length = prefix, len(prefix)

    def at_most(self, key: bytes) -> bytes | None:
        """See `Walk`."""
        prefix = self._prefix
        wanted = prefix + key
        if self._set_range(wanted):
            if self._key() == wanted:
                return key
            if not self._prev():
                return None
        elif not self._last():
            return None
        found = self._key()
        return found[self._length :] if found.startswith(prefix) else None


class Union:
    """The keys that any of the walks has. It is asked downwards only: of each walk, what was found last is kept."""

    def __init__(self, walks: Sequence[Walk]) -> None:
        self._heads: list[tuple[Walk, bytes | None]] = [(walk, None) for walk in walks]

    def at_most(self, key: bytes) -> bytes | None:
        """See `Walk`."""
        best: bytes | None = None
        ended = False
        for at, (walk, head) in enumerate(self._heads):
            if head is None or head > key:
                found = walk.at_most(key)
                if found is None:
                    ended = True
                    self._heads[at] = walk, b""
                    continue
                self._heads[at] = walk, found
                head = found
            if best is None or head > best:
                best = head
        if ended:
            self._heads = [(walk, head) for walk, head in self._heads if head != b""]
        return best


def any_of(walks: Sequence[Walk]) -> Walk:
    """The walk through all keys that any of the walks has."""
    return walks[0] if len(walks) == 1 else Union(walks)


def newest(walks: Sequence[Walk], first: bytes, last: bytes, effort: Effort | None = None) -> Iterator[bytes]:
    """The keys that all of the walks have, from `first` down to `last`. All keys have the length of `first`.

    It ends early where the effort is used up, and notes there how far it has come.
    """
    effort = effort or Effort()
    moves, several = [walk.at_most for walk in walks], len(walks) > 1
    key: bytes | None = first
    while key is not None:
        agreed = 0
        while agreed < len(moves):
            if effort.left <= 0:
                effort.stopped_at = key
                return
            effort.left -= len(moves)
            for move in moves:
                found = move(key)
                if found is None or found < last:
                    return
                agreed = agreed + 1 if several and found == key else 1
                key = found
                if agreed == len(moves):
                    break
        yield key
        key = _before(key)


def _before(key: bytes) -> bytes | None:
    number = int.from_bytes(key, "big")
    return (number - 1).to_bytes(len(key), "big") if number else None


def ascending(reading: Reading, table: str, first: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
    """The items of a table from the key `first` upwards."""
    cursor = reading.cursor(table)
    if cursor.set_range(first) if first else cursor.first():
        yield from cursor
