"""The dimensions in which tasks are counted, and the keys of their values. Hours sort as numbers.

The hour of a task is that of its submission: it never changes, so a row of an hour tells what became of its tasks.
"""

from functools import lru_cache
from typing import Final

from clawactors.kernel.time import iso
from clawactors.projections.engine.keys import term

__all__ = [
    "ALL",
    "BY",
    "BY_ERROR",
    "BY_HOUR",
    "BY_NODE",
    "BY_SKILL",
    "BY_STATUS",
    "BY_TAG",
    "BY_USER",
    "HOUR_BYTES",
    "hour_of",
    "shown_hour",
    "value_key",
]

ALL, BY_STATUS = b"a", b"s"
BY_NODE, BY_USER, BY_SKILL, BY_TAG, BY_ERROR, BY_HOUR = b"n", b"u", b"k", b"t", b"e", b"h"
BY: Final = {"node": BY_NODE, "user": BY_USER, "skill": BY_SKILL, "tag": BY_TAG, "error": BY_ERROR, "hour": BY_HOUR}
"""The dimensions by the name that questions use. In each, tasks are counted by status."""

HOUR_BYTES: Final = 11
_HOUR_NS: Final = 3600 * 1_000_000_000


def hour_of(at_ns: int) -> str:
    """The hour since 1970 of a time, as the value of its dimension."""
    return _text(at_ns // _HOUR_NS)


@lru_cache(maxsize=64)
def _text(hour: int) -> str:
    return str(max(0, hour))


def shown_hour(value: str) -> str:
    """The hour as people read it: when it began."""
    return iso(int(value) * _HOUR_NS) or "1970-01-01T00:00:00.000000+00:00"


def value_key(field: bytes, value: str) -> bytes:
    """The key of a value in a dimension: 12 bytes."""
    return field + int(value).to_bytes(HOUR_BYTES, "big") if field == BY_HOUR else term(field, value)
