"""Keys of rows: places in the log as numbers that sort, words of any length as prefixes of one length."""

import hashlib
from functools import lru_cache
from typing import Final

__all__ = ["LAST", "PLACE_BYTES", "number", "place", "term"]

PLACE_BYTES: Final = 8
LAST: Final = b"\xff" * PLACE_BYTES

_DIGEST_BYTES: Final = 11


def place(seq: int) -> bytes:
    """A log sequence as a key that sorts as the number does."""
    return seq.to_bytes(PLACE_BYTES, "big")


def number(key: bytes) -> int:
    """The sequence that a key stands for."""
    return int.from_bytes(key, "big")


@lru_cache(maxsize=8192)
def term(field: bytes, value: str) -> bytes:
    """The prefix under which everything with this value in this field is listed: 12 bytes, for a value of any length.

    `field` is one byte. Two values may share a prefix by chance: readers of the rows check the value.
    """
    return field + hashlib.blake2b(value.encode(), digest_size=_DIGEST_BYTES).digest()
