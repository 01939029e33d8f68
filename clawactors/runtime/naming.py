"""Names that no other process gives: commits, incarnations, tasks without an id of their own."""

import hashlib
import itertools
import os
import time

__all__ = ["Names", "id_of_key", "is_drawn", "new_id"]

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_DRAWN = 21
"""The length of what `new_id` gives."""
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]


def _base32(number: int, length: int) -> str:
    """The last `length` digits."""
    digits = []
    for _ in range(0, length, 2):
        digits.append(_PAIRS[number & 1023])
        number >>= 10
    digits.reverse()
    return "".join(digits)[-length:]


def new_id() -> str:
    """A fresh id that sorts by time: 9 characters of milliseconds, 12 of chance."""
    return _base32(time.time_ns() // 1_000_000, 9) + _base32(int.from_bytes(os.urandom(8), "big"), 12)


def id_of_key(key: str) -> str:
    """The task id that an idempotency key stands for: the same everywhere and always."""
    return "key-" + hashlib.blake2b(key.encode(), digest_size=16).hexdigest()


def is_drawn(id: str) -> bool:
    """True for a name as `Names` gives them: nobody has chosen it."""
    return id[_DRAWN : _DRAWN + 1] == "-" and id[_DRAWN + 1 :].isdecimal()


class Names:
    """Commit names of one process: a random prefix and a counter."""

    def __init__(self) -> None:
        self._prefix = new_id()
        self._next = itertools.count(1)

    def commit(self) -> str:
        """The next name."""
        return f"{self._prefix}-{next(self._next)}"
