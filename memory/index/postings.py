"""The inverted index: for each term, the numbers of the items that contain it, and how often.

1. A term's numbers are stored in blocks, in ascending order, so an append touches one block per term.
2. A removal deletes the number from its block; the remaining numbers are the document frequency.
"""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from clawactors.projections.engine.store import Reading, Writing

__all__ = ["POSTINGS", "Numbers", "Posting", "PostingsBatch", "beginning_with", "lookup"]

POSTINGS = "memory.postings"
"""term, 0, block → packed numbers and counts."""

type Numbers = npt.NDArray[np.int64]
type Posting = tuple[Numbers, npt.NDArray[np.float32]]
"""Item numbers in ascending order, and how often each item contains the term."""

_BLOCK_BITS = 12
_COUNT_BITS = 6
_COUNT_MAX = (1 << _COUNT_BITS) - 1
_PACKED = np.dtype("<u4")


def lookup(reading: Reading, term: str) -> Posting:
    """The items that contain the term."""
    prefix = term.encode() + b"\0"
    size = len(prefix)
    found: list[bytes] = []
    cursor = reading.cursor(POSTINGS)
    if cursor.set_range(prefix):
        for key, value in cursor:
            if not key.startswith(prefix):
                break
            if len(key) == size + 4:
                found.append(value)
    packed = np.frombuffer(b"".join(found), _PACKED)
    return (packed >> _COUNT_BITS).astype(np.int64), (packed & _COUNT_MAX).astype(np.float32)


def beginning_with(reading: Reading, prefix: str, most: int) -> list[str]:
    """The first `most` terms that begin with the prefix, in the order of their bytes."""
    start = prefix.encode()
    found: list[str] = []
    cursor = reading.cursor(POSTINGS)
    more = cursor.set_range(start)
    while more and len(found) < most:
        term = bytes(cursor.key()).partition(b"\0")[0]
        if not term.startswith(start):
            break
        found.append(term.decode())
        more = cursor.set_range(term + b"\1")  # past all blocks of the term
    return found


class PostingsBatch:
    """Changes to postings that are written together."""

    def __init__(self) -> None:
        self._added: defaultdict[bytes, list[int]] = defaultdict(list)
        self._removed: defaultdict[bytes, set[int]] = defaultdict(set)

    def add(self, number: int, terms: Mapping[str, int]) -> None:
        """Adds the item's terms and their counts."""
        block, packed = _block(number), number << _COUNT_BITS
        for term, count in terms.items():
            self._added[term.encode() + block].append(packed | min(count, _COUNT_MAX))

    def remove(self, number: int, terms: Mapping[str, int]) -> None:
        """Removes the item from these terms. Order: a term that is both removed and added in one batch stays."""
        block = _block(number)
        for term in terms:
            self._removed[term.encode() + block].add(number)

    def write(self, txn: Writing) -> None:
        """Writes all changes and clears the batch."""
        written: list[tuple[bytes, bytes]] = []
        for key in self._added.keys() | self._removed.keys():
            old = txn.get(POSTINGS, key) or b""
            new = self._merged(key, old)
            if new:
                written.append((key, new))
            elif old:
                txn.delete(POSTINGS, key)
        txn.put_all(POSTINGS, written)
        self._added.clear()
        self._removed.clear()

    def _merged(self, key: bytes, old: bytes) -> bytes:
        packed = np.frombuffer(old, _PACKED)
        added = np.array(sorted(self._added.get(key, ())), _PACKED)
        gone = self._removed.get(key, set()) | {int(one) >> _COUNT_BITS for one in added}
        # In most batches nothing is removed, and the new numbers follow the old ones.
        if self._removed.get(key) or (len(packed) and len(added) and added[0] <= packed[-1]):
            packed = packed[~np.isin(packed >> _COUNT_BITS, list(gone))]
            return np.sort(np.concatenate((packed, added))).tobytes()
        return old + added.tobytes()


def _block(number: int) -> bytes:
    return b"\0" + (number >> _BLOCK_BITS).to_bytes(4, "big")
