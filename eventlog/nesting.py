"""The nesting depth of JSON, from its bytes: the depth at which decoders fail depends on the caller's stack."""

import re
from array import array
from itertools import accumulate
from typing import Final

__all__ = ["DEPTH_MAX", "is_too_deep"]

DEPTH_MAX: Final = 500
"""The most levels in a commit's body: every reader can decode and encode them, whatever its stack depth."""

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")  # as signed bytes: 1 up, 1 down
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def is_too_deep(body: bytes) -> bool:
    """True for JSON of more than `DEPTH_MAX` levels; counts exactly only if there are that many brackets."""
    if len(body) <= 2 * DEPTH_MAX or body.count(b"[") + body.count(b"{") <= DEPTH_MAX:
        return False
    steps = array("b", _STRING.sub(b"", body).translate(_STEPS, _NO_BRACKETS))
    return max(accumulate(steps), default=0) > DEPTH_MAX
