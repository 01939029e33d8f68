"""Writes the rows of memories: items, postings and vectors, in the caller's transaction."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import batched
from typing import Final

import msgspec

from clawactors.memory.index.embedding import Embedder
from clawactors.memory.index.postings import PostingsBatch
from clawactors.memory.index.rows import find, key, next_number, put_item, put_next
from clawactors.memory.index.terms import extra_terms, searched_text
from clawactors.memory.index.vectors import VECTORS, pack, quantized
from clawactors.memory.item import Item
from clawactors.memory.text.lexicon import Lexicon, length
from clawactors.projections.engine.store import Reading, Writing
from clawactors.systems.memories import Memory

__all__ = ["Change", "IndexWriter"]

_TOGETHER: Final = 16


class Change(msgspec.Struct):
    """An item before and after a write; `vector` is its new packed vector, b"" if the vector did not change."""

    before: Item | None
    after: Item
    vector: bytes = b""


class IndexWriter:
    """Collects changes with `stage`, in the order of the log, and writes them with `write`. `drop` them on failure.

    `suspend` is called every few items, so that the thread yields to searches.
    """

    def __init__(self, embedder: Embedder, lexicon: Lexicon, suspend: Callable[[], None] = lambda: None) -> None:
        self._embedder, self._lexicon, self._suspend = embedder, lexicon, suspend
        self._staged: dict[str, Change] = {}
        self._next = 0

    def present(self, txn: Reading, id: str) -> Item | None:
        """The staged item with this id, else the stored one."""
        change = self._staged.get(id)
        return change.after if change else find(txn, id)

    def stage(self, txn: Reading, id: str, version: int, memory: Memory) -> None:
        """Stages the new state of a memory. Stage every change, so that item numbers depend on the log only."""
        change = self._staged.get(id)
        present = change.after if change else find(txn, id)
        number = present.number if present else self._new_number(txn)
        was = present.memory if present else memory
        is_new = present is None or was.content is None
        is_said = is_new or was.revision != memory.revision
        recorded, said = (present.recorded, present.said) if present else (version, version)
        after = Item(number, id, version, memory, version if is_new else recorded, version if is_said else said)
        if change is None:
            self._staged[id] = Change(present, after)
        else:
            change.after = after

    def _new_number(self, txn: Reading) -> int:
        if not self._staged:
            self._next = next_number(txn)
        number, self._next = self._next, self._next + 1
        return number

    def write(self, txn: Writing) -> list[Change]:
        """Writes the rows of all staged changes and returns the changes, for an `Index` to apply."""
        changes = list(self._staged.values())
        if not changes:
            return []
        if any(change.before is None for change in changes):
            put_next(txn, self._next)
        postings = PostingsBatch()
        stale = [change for change in changes if _indexed_part(change.before) != _indexed_part(change.after)]
        for change in stale:
            if change.before and change.before.memory.searched:
                postings.remove(change.before.number, self._term_counts(change.before))
                txn.delete(VECTORS, key(change.before.number))
        for part in batched((change for change in stale if change.after.memory.searched), _TOGETHER):
            self._suspend()
            self._put_terms_and_vectors(part, postings, txn)
        postings.write(txn)
        for change in changes:
            put_item(txn, change.after)
        self._staged.clear()
        return changes

    def _put_terms_and_vectors(self, changes: Sequence[Change], postings: PostingsBatch, txn: Writing) -> None:
        rows, lengths = self._embedder.documents([searched_text(change.after) for change in changes])
        codes, scales = quantized(rows)
        for nth, change in enumerate(changes):
            counts = self._term_counts(change.after)
            postings.add(change.after.number, counts)
            change.vector = pack(length(counts), float(lengths[nth]), float(scales[nth]), codes[nth])
            txn.put(VECTORS, key(change.after.number), change.vector)

    def _term_counts(self, item: Item) -> Counter[str]:
        return self._lexicon.indexed(searched_text(item)) | Counter(extra_terms(item))

    def drop(self) -> None:
        """Discards all staged changes."""
        self._staged.clear()


def _indexed_part(item: Item | None) -> tuple[str, tuple[str, ...]] | None:
    """The part of an item that its postings and its vector depend on; None if it is not searched."""
    return (searched_text(item), item.content.tags) if item and item.memory.searched else None
