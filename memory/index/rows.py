"""The rows of memories, by number, by id and by term. Numbers follow the order of the log and are never reused."""

from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np

from clawactors.memory.index.postings import POSTINGS, lookup
from clawactors.memory.index.vectors import VECTORS
from clawactors.memory.item import Item
from clawactors.projections.engine.index import ascending
from clawactors.projections.engine.store import META, Reading, Writing
from clawactors.systems.memories import Content

__all__ = [
    "TABLES",
    "all_items",
    "find",
    "is_restricted",
    "item_at",
    "key",
    "next_number",
    "put_item",
    "put_next",
    "with_terms",
]

ITEMS: Final = "memory.items"
"""number → item."""
IDS: Final = "memory.ids"
"""id → number."""
TABLES: Final = (ITEMS, IDS, POSTINGS, VECTORS)

_NEXT: Final = b"memory.next"

_encode = msgspec.msgpack.Encoder(order="deterministic").encode  # sets too: rows are compared by digest
_decode = msgspec.msgpack.Decoder(Item).decode


def key(number: int) -> bytes:
    """The key of a number."""
    return number.to_bytes(4, "big")


def item_at(reading: Reading, number: int) -> Item | None:
    """The item with this number."""
    row = reading.get(ITEMS, key(number))
    return _decode(row) if row else None


def find(reading: Reading, id: str) -> Item | None:
    """The item with this id, in any status."""
    number = reading.get(IDS, id.encode())
    return item_at(reading, int.from_bytes(number, "big")) if number else None


def all_items(reading: Reading) -> Iterator[Item]:
    """All items in the order in which they were recorded, including those that are no longer searched."""
    for _, row in ascending(reading, ITEMS):
        yield _decode(row)


def with_terms(reading: Reading, *terms: str) -> list[Item]:
    """The searched items that contain all of these terms, in the order in which they were recorded."""
    numbers = lookup(reading, terms[0])[0]
    for term in terms[1:]:
        numbers = np.intersect1d(numbers, lookup(reading, term)[0], assume_unique=True)
    return [item for number in numbers.tolist() if (item := item_at(reading, number)) is not None]


def is_restricted(reading: Reading, content: Content, seen: frozenset[str] = frozenset()) -> bool:
    """Whether nobody owns it, but it may repeat what somebody does: then it is no shared knowledge."""
    if content.owner:
        return False
    made_of = content.derived_from + (content.parents if content.kind == "summary" else ())
    for id in made_of:
        item = find(reading, id) if id not in seen else None
        source = item.memory.content if item else None
        if source and (source.owner or is_restricted(reading, source, seen | {id})):
            return True
    return False


def put_item(txn: Writing, item: Item) -> None:
    """Sets the row of an item."""
    txn.put(ITEMS, key(item.number), _encode(item))
    txn.put(IDS, item.id.encode(), key(item.number))


def next_number(reading: Reading) -> int:
    """The number of the next item; all smaller numbers are in use."""
    return int.from_bytes(reading.get(META, _NEXT) or b"", "big")


def put_next(txn: Writing, number: int) -> None:
    """Sets the number of the next item."""
    txn.put(META, _NEXT, key(number))
