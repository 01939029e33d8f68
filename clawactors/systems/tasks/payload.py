"""Parameters and results that are too large for an event: a reference to the object store stands in their place.

1. A reference is an object with the key `$blob`: `{"$blob": SHA-256 of the JSON, "bytes": its length}`.
2. What has that key by chance is kept by reference too, however small: on record, the key means a reference, always.
3. Equal values with their keys in equal order have equal references.
"""

import re
from typing import Any, Final, TypeGuard

import msgspec

from clawactors.kernel.errors import Refused

__all__ = [
    "INLINE_MAX_BYTES",
    "PAYLOAD_MAX_BYTES",
    "Encoded",
    "Large",
    "is_reference",
    "named_in",
    "offload_payload",
    "reference",
    "shown_size",
]

INLINE_MAX_BYTES: Final = 256 << 10
PAYLOAD_MAX_BYTES: Final = 64 << 20

_KEY: Final = "$blob"
_NAME: Final = re.compile(r"[0-9a-f]{64}")


class Large(dict[str, Any]):
    """Parameters that have to be kept by reference, found out when they were encoded."""


class Encoded(msgspec.Struct, frozen=True, gc=False):
    """A value, as JSON, that has to be kept by reference."""

    body: bytes


class _Reference(msgspec.Struct, rename={"name": _KEY, "size": "bytes"}):
    name: str
    size: int


def is_reference(value: Any) -> TypeGuard[dict[str, Any]]:
    """True where something on record stands for a payload."""
    return isinstance(value, dict) and _KEY in value


def reference(name: str, size_bytes: int) -> dict[str, Any]:
    """What stands for the payload of that name."""
    return {_KEY: name, "bytes": size_bytes}


def named_in(value: Any) -> tuple[str, int]:
    """Name and size of the payload that a reference stands for. Raises: `Refused` where it is a wrong one."""
    try:
        found = msgspec.convert(value, _Reference)
    except msgspec.ValidationError as error:
        raise Refused(f"that is no reference to a payload: {error}") from None
    if not _NAME.fullmatch(found.name):
        raise Refused("that is no reference to a payload: its name is no SHA-256")
    return found.name, found.size


def offload_payload(value: dict[str, Any]) -> str:
    """A reference in words: what is large is told by its size, for its name says nothing to people."""
    size_bytes = value.get("bytes")
    if isinstance(size_bytes, int) and size_bytes >= 0:
        return f"({shown_size(size_bytes)} of data)"
    return "(data kept elsewhere)"


def shown_size(size_bytes: int) -> str:
    """The size for people."""
    for unit, size in (("MB", 1 << 20), ("KB", 1 << 10)):
        if size_bytes >= size:
            return f"{size_bytes / size:.1f} {unit}"
    return f"{size_bytes} bytes"
