"""What code returned, as every reader of the log gets it back."""

import math
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from clawactors.errors import Refused

__all__ = ["RESULT_MAX_BYTES", "as_json"]

RESULT_MAX_BYTES: Final = 256 * 1024
DEPTH_MAX: Final = 500


def as_json(value: Any, whose: str) -> Any:
    """The value as JSON gives it back. Raises `Refused` where every reader of the log could not have it back alike."""
    if value is None:
        return value
    try:
        encoded = msgspec.json.encode(value)
        decoded = msgspec.json.decode(encoded)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise Refused(f"{whose} returned what JSON can't hold: {error}") from None
    if len(encoded) > RESULT_MAX_BYTES:
        raise Refused(f"{whose} returned {len(encoded)} bytes; results may have {RESULT_MAX_BYTES}")
    if encoded.count(b"[") + encoded.count(b"{") > DEPTH_MAX and _depth(decoded) > DEPTH_MAX:
        raise Refused(f"{whose} returned what JSON can't hold for sure: it is nested deeper than {DEPTH_MAX}")
    if b"null" in encoded and not _is_finite(msgspec.to_builtins(value)):
        raise Refused(f"{whose} returned what JSON can't hold: a number that is not finite")
    return decoded


def _inner(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple | set) else ()


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth, level = depth + 1, [inner for each in level for inner in _inner(each)]
    return depth


def _is_finite(value: Any) -> bool:
    level = [value]
    while level:
        if any(isinstance(each, float) and not math.isfinite(each) for each in level):
            return False
        level = [inner for each in level for inner in _inner(each)]
    return True
