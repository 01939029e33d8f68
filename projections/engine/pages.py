"""Rows in pages that fit into a message, and the cursors between them.

A cursor names the last row of its page and the question. Rows keep their places, so a page neither repeats nor skips a
row when other rows change meanwhile.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from clawactors.kernel.errors import InvalidQuery

__all__ = [
    "LIMIT",
    "PAGE_BYTES",
    "InvalidQuery",
    "checked_limit",
    "checked_silence_ns",
    "cursor_key",
    "cursor_of",
    "mark_of",
    "page",
    "page_by_name",
    "trimmed",
]

LIMIT: Final = 1000
"""Rows a page, at most."""
PAGE_BYTES: Final = 900 << 10
"""Bytes of rows in an answer, at most: with its frame it fits into a message of 1 MB."""

_MARK_BYTES: Final = 6
_LONGEST_S: Final = 1e9
_OF_ONE_PAGE: Final = {"cursor": "", "limit": 0, "fresh": False, "at_least": 0}
_encode = msgspec.json.Encoder().encode


def mark_of(question: msgspec.Struct) -> str:
    """The question as its cursors know it: the same for all of its pages."""
    return f"{type(question).__name__} {msgspec.structs.asdict(question) | _OF_ONE_PAGE!r}"


def page(
    rows: Iterable[tuple[bytes, dict[str, Any]]],
    limit: int,
    question: str,
    unseen: Callable[[], bytes | None] = lambda: None,
) -> dict[str, Any]:
    """`rows`, the first of those `(key, row)`, and the `cursor` to the rest, None where there is none.

    `unseen` gives, after the last of the rows, where the search for more of them goes on; None where it is complete.
    Raises: `InvalidQuery`.
    """
    checked_limit(limit)
    taken: list[msgspec.Raw] = []
    size_bytes, last = 0, b""
    for key, row in rows:
        encoded = trimmed(row)
        size_bytes += len(encoded) + 1
        if taken and (len(taken) == limit or size_bytes > PAGE_BYTES):
            return {"rows": taken, "cursor": cursor_of(question, last)}
        taken.append(msgspec.Raw(encoded))
        last = key
    rest = unseen()
    return {"rows": taken, "cursor": None if rest is None else cursor_of(question, rest)}


def cursor_of(question: str, key: bytes) -> str:
    """The cursor behind that key, for the question as `mark_of` gives it."""
    return base64.urlsafe_b64encode(_mark(question) + key).decode()


def page_by_name(
    rows: Iterable[dict[str, Any]], name: str, question: msgspec.Struct, cursor: str, limit: int
) -> dict[str, Any]:
    """A page of rows that come in the order of the column `name`. Raises: `InvalidQuery`."""
    mark = mark_of(question)
    after = cursor_key(cursor, mark).decode("utf-8", "replace")
    return page(((row[name].encode(), row) for row in rows if not after or row[name] > after), limit, mark)


def checked_silence_ns(silent_s: float | None) -> int | None:
    """The seconds of a silence as ns, None for none. Raises: `InvalidQuery`."""
    if silent_s is None:
        return None
    if not 0 <= silent_s <= _LONGEST_S:
        raise InvalidQuery(f"silent_s is {silent_s}; it must be between 0 and {_LONGEST_S:g}")
    return int(silent_s * 1e9)


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
