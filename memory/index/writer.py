"""Writes the rows that make memories findable, in the caller's transaction."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import batched
from typing import Final

import msgspec

from clawactors.memory.embedding import Embedder
from clawactors.memory.index.item import Item, marks_of, text_of
from clawactors.memory.index.postings import Draft
from clawactors.memory.index.rows import find, key, put_item, put_next, taken
from clawactors.memory.index.vectors import VECTORS, pack, quantised
from clawactors.memory.text.lexicon import Lexicon
from clawactors.projections.engine.store import Reading, Writing
from clawactors.systems.memories import Memory

__all__ = ["Change", "IndexWriter"]

_TOGETHER: Final = 16


class Change(msgspec.Struct):
    """An item before and after; `vector` is its packed row where that was made anew."""

    before: Item | None
    after: Item
    vector: bytes = b""


class IndexWriter:
    """`stage` changes in the order of the log, `write` them together; `drop` them where that failed.

    `suspend` is called between every few items that are written.
    """

    def __init__(self, embedder: Embedder, lexicon: Lexicon, suspend: Callable[[], None] = lambda: None) -> None:
        self._embedder, self._lexicon, self._give_way = embedder, lexicon, suspend
        self._staged: dict[str, Change] = {}
        self._next = 0

    def present(self, txn: Reading, id: str) -> Item | None:
        """The item with this id, as it is staged or else as it is stored."""
        change = self._staged.get(id)
        return change.after if change else find(txn, id)

    def stage(self, txn: Reading, id: str, version: int, memory: Memory) -> None:
        """The memory is now like this. Stage every change, so that numbers follow from the log alone."""
        change = self._staged.get(id)
        if change is None:
            before = find(txn, id)
            number = before.number if before else self._take_number(txn)
            self._staged[id] = Change(before, Item(number, id, version, memory))
        else:
            change.after = Item(change.after.number, id, version, memory)

    def _take_number(self, txn: Reading) -> int:
        if not self._staged:
            self._next = taken(txn)
        number, self._next = self._next, self._next + 1
        return number

    def write(self, txn: Writing) -> list[Change]:
        """Puts the rows of what is staged, and gives the changes for those who hold more than rows."""
        changes = list(self._staged.values())
        if not changes:
            return []
        if any(change.before is None for change in changes):
            put_next(txn, self._next)
        postings = Draft()
        stale = [change for change in changes if _found_by(change.before) != _found_by(change.after)]
        for change in stale:
            if change.before and change.before.memory.searched:
                postings.remove(change.before.number, self._counted(change.before))
                txn.delete(VECTORS, key(change.before.number))
        for part in batched((change for change in stale if change.after.memory.searched), _TOGETHER):
            self._give_way()
            self._put_found(part, postings, txn)
        postings.write(txn)
        for change in changes:
            put_item(txn, change.after)
        self._staged.clear()
        return changes

    def _put_found(self, changes: Sequence[Change], postings: Draft, txn: Writing) -> None:
        rows, lengths = self._embedder.documents([text_of(change.after) for change in changes])
        codes, scales = quantised(rows)
        for nth, change in enumerate(changes):
            counted = self._counted(change.after)
            postings.add(change.after.number, counted)
            change.vector = pack(counted.total(), float(lengths[nth]), float(scales[nth]), codes[nth])
            txn.put(VECTORS, key(change.after.number), change.vector)

    def _counted(self, item: Item) -> Counter[str]:
        return Counter(self._lexicon.terms(text_of(item))) | Counter(marks_of(item))

    def drop(self) -> None:
        """Forgets what is staged."""
        self._staged.clear()


def _found_by(item: Item | None) -> tuple[str, tuple[str, ...]] | None:
    """What postings and vector follow from."""
    return (text_of(item), item.content.tags) if item and item.memory.searched else None
