"""Packed contexts, kept compressed: the same question costs nothing until what memory knows about it changes.

An entry is dropped when it expires, when a memory of one of its owners changes or is forgotten, and when others need
its place. Changes that leave what a memory says as it is, such as its importance, drop nothing.
"""

import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

import msgspec

from clawactors.memory.index.writer import Change
from clawactors.memory.item import Item

__all__ = ["EXPIRES_S", "ContextCache", "PackedContext"]

EXPIRES_S: Final = 3600.0

_BYTES_MAX: Final = 8 << 20


class PackedContext(msgspec.Struct, frozen=True):
    """A compressed answer; `owners` are those whose memories it depends on, None for everybody's."""

    body: bytes
    owners: frozenset[str] | None
    expires_ns: int

    def unpacked(self) -> bytes:
        """The answer."""
        return zlib.decompress(self.body)


class ContextCache:
    """Answers by question, the least recently used dropped first. Thread-safe."""

    def __init__(self, expires_s: float = EXPIRES_S, bytes_max: int = _BYTES_MAX) -> None:
        self._expires_ns, self._bytes_max = int(expires_s * 1e9), bytes_max
        self._lock = threading.Lock()
        self._entries: OrderedDict[bytes, PackedContext] = OrderedDict()
        self._size_bytes = 0
        self.changes = 0
        """How often something changed: an answer that began before the last change is not kept."""

    def get(self, question: bytes, now_ns: int) -> PackedContext | None:
        """The answer to the question, None if there is none or it has expired."""
        with self._lock:
            entry = self._entries.get(question)
            if entry is None:
                return None
            if entry.expires_ns <= now_ns:
                self._drop(question)
                return None
            self._entries.move_to_end(question)
            return entry

    def put(
        self, question: bytes, answer: bytes, owners: frozenset[str] | None, now_ns: int, changes: int
    ) -> PackedContext:
        """Keeps an answer that was made when `changes` was as given; returns it as it is kept."""
        entry = PackedContext(zlib.compress(answer, 6), owners, now_ns + self._expires_ns)
        with self._lock:
            if changes == self.changes and len(entry.body) <= self._bytes_max // 4:
                self._drop(question)
                self._entries[question] = entry
                self._size_bytes += len(entry.body)
                while self._size_bytes > self._bytes_max:
                    self._drop(next(iter(self._entries)))
        return entry

    def changed(self, changes: Iterable[Change] | None) -> None:
        """Drops what depends on these memories; None stands for all."""
        owners = None if changes is None else {owner for change in changes for owner in _owners(change)}
        if owners is not None and not owners:
            return
        with self._lock:
            self.changes += 1
            stale = [
                question
                for question, entry in self._entries.items()
                if owners is None or entry.owners is None or not owners.isdisjoint(entry.owners)
            ]
            for question in stale:
                self._drop(question)

    def _drop(self, question: bytes) -> None:
        if (entry := self._entries.pop(question, None)) is not None:
            self._size_bytes -= len(entry.body)


def _owners(change: Change) -> Iterable[str]:
    """Whose contexts the change concerns: nobody's if what is said is the same as before."""
    before, after = _said(change.before), _said(change.after)
    return [] if before == after else [owner for owner, *_ in (*before, *after)]


def _said(item: Item | None) -> list[tuple[str, object]]:
    """The owner of what the item says, and all of it; nothing where a search does not find it."""
    if item is None or item.memory.content is None or not item.memory.searched:
        return []
    memory, content = item.memory, item.memory.content
    said = (content.text, content.tags, content.fact, content.parents, memory.status, memory.superseded_by)
    return [(content.owner, said)]
