"""Rows in pages that fit into a message, and the cursors between them.

A cursor names the last row that was given and the question it belongs to. Rows keep their places for ever, so a page
neither repeats nor skips a row because others have changed meanwhile.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from clawactors.kernel.errors import Refused

__all__ = ["LIMIT", "PAGE_BYTES", "InvalidQuery", "checked_limit", "cursor_key", "page", "trimmed"]

LIMIT: Final = 1000
"""Rows a page, at most."""
PAGE_BYTES: Final = 900 << 10
"""Bytes of rows in an answer, at most: with its frame it fits into a message of 1 MB."""

_MARK_BYTES: Final = 6
_encode = msgspec.json.Encoder().encode


class InvalidQuery(Refused):
    """The question itself is wrong; no state of the views could answer it."""


def page(
    rows: Iterable[tuple[bytes, dict[str, Any]]], limit: int, question: str
) -> tuple[list[msgspec.Raw], str | None]:
    """The first of the `(key, row)`, and the cursor to the rest, None where there is none. Raises: `InvalidQuery`."""
    checked_limit(limit)
    taken: list[msgspec.Raw] = []
    size_bytes, last = 0, b""
    for key, row in rows:
        encoded = trimmed(row)
        size_bytes += len(encoded) + 1
        if taken and (len(taken) == limit or size_bytes > PAGE_BYTES):
            return taken, base64.urlsafe_b64encode(_mark(question) + last).decode()
        taken.append(msgspec.Raw(encoded))
        last = key
    return taken, None


def checked_limit(limit: int) -> int:
    """The limit itself. Raises: `InvalidQuery`."""
    if not 1 <= limit <= LIMIT:
        raise InvalidQuery(f"the limit is {limit}; it must be between 1 and {LIMIT}")
    return limit


def cursor_key(cursor: str, question: str) -> bytes:
    """The key of the last row before the cursor, nothing for the first page. Raises: `InvalidQuery`."""
    if not cursor:
        return b""
    try:
        decoded = base64.b64decode(cursor.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    mark, key = decoded[:_MARK_BYTES], decoded[_MARK_BYTES:]
    if mark != _mark(question) or not key:
        raise InvalidQuery("the cursor belongs to another question; ask again without it")
    return key


def _mark(question: str) -> bytes:
    return hashlib.blake2b(question.encode(), digest_size=_MARK_BYTES).digest()


def trimmed(row: dict[str, Any]) -> bytes:
    """The encoded row; where it is too large for a message, its largest values are null and `omitted` names them."""
    encoded = _encode(row)
    omitted: list[str] = row.get("omitted", [])
    while len(encoded) > PAGE_BYTES:
        largest = max(row, key=lambda name: len(_encode(row[name])))
        omitted = [*omitted, largest]
        row = row | {largest: None, "omitted": omitted}
        encoded = _encode(row)
    return encoded
