"""Makes answers small enough for an agent: without what is empty, and cut where they are large.

What is cut says so, with its size and where the rest is.
"""

from typing import Any, Final

import msgspec

__all__ = ["cut_text", "fitted", "sparse"]

_CAPS: Final = (8000, 2000, 500, 120)
_LEAST_ROWS: Final = 1


def sparse(row: Any) -> dict[str, Any]:
    """A row as JSON has it, without the fields that say nothing."""
    fields: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(row))
    return {name: value for name, value in fields.items() if not _says_nothing(value)}


def _says_nothing(value: Any) -> bool:
    return value is None or value is False or value in ("", [], {})


def cut_text(text: str, most: int, rest: str = "") -> str:
    """The beginning of a long text, and how much more there is; `rest` says where."""
    if len(text) <= most:
        return text
    return f"{text[:most]}… [{len(text) - most:,} more characters{rest and f': {rest}'}]"


def fitted(document: dict[str, Any], limit: int, rest: str = "") -> dict[str, Any]:
    """The document in at most about `limit` characters of JSON: long values are cut, then rows are left out."""
    if _size(document) <= limit:
        return document
    small = document
    for cap in _CAPS:
        small = {name: _cut(value, cap, rest, depth=0) for name, value in document.items()}
        if _size(small) <= limit:
            return small
    for name, value in small.items():
        if isinstance(value, list) and len(value) > _LEAST_ROWS:
            small = _fewer(small, name, limit)
    return small


def _fewer(document: dict[str, Any], name: str, limit: int) -> dict[str, Any]:
    rows = document[name]
    few, many = _LEAST_ROWS, len(rows)
    while few < many:
        middle = (few + many + 1) // 2
        fits = _size({**document, name: rows[:middle]}) <= limit
        few, many = (middle, many) if fits else (few, middle - 1)
    left = len(rows) - few
    return {**document, name: rows[:few], "left_out": left} if left else document


def _cut(value: Any, cap: int, rest: str, depth: int) -> Any:
    match value:
        case str():
            return cut_text(value, cap, rest)
        case list():
            return [_cut(each, cap, rest, depth + 1) for each in value]
        case dict() if depth < 2 or _size(value) <= cap:
            return {name: _cut(each, cap, rest, depth + 1) for name, each in value.items()}
        case dict():
            return cut_text(msgspec.json.encode(value).decode(), cap, rest)
        case _:
            return value


def _size(value: Any) -> int:
    return len(msgspec.json.encode(value))
