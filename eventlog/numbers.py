"""Numbers that not all JSON readers share: non-finite numbers become null, long integers lose digits."""

import math
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

__all__ = ["INTEGERS", "unfit_number"]

INTEGERS: Final = range(-(2**63), 2**64)
"""The integers that readers in other languages represent exactly."""

_LONG = re.compile(rb"\d{19}")


def unfit_number(
    value: Any, encoded: bytes, *, any_length: bool = False, to_json: Callable[[Any], Any] | None = None
) -> str:
    """What is wrong with the first unsuitable number, '' if there is none; `encoded` is the JSON of the value.

    `any_length`: integers of any length are fine, for values that only Python reads. `to_json`: as for the encoder.
    """
    if b"null" not in encoded and (any_length or _LONG.search(encoded) is None):
        return ""
    level = [msgspec.to_builtins(value, enc_hook=to_json)]
    while level:
        for each in level:
            if isinstance(each, float) and not math.isfinite(each):
                return f"{each} is a number that is not finite"
            if type(each) is int and each not in INTEGERS and not any_length:
                return "an integer is outside of -2^63 to 2^64 - 1: give it as text"
        level = [inner for each in level for inner in _inner(each)]
    return ""


def _inner(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple | set) else ()
