"""How deep JSON is nested, told from its bytes: decoders give up at a depth that differs from caller to caller."""

import re
from array import array
from itertools import accumulate
from typing import Final

__all__ = ["DEPTH_MAX", "is_too_deep"]

DEPTH_MAX: Final = 500
"""Levels in a commit's body, at most; every reader can decode and write them, however deep its own stack is."""

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")  # as signed bytes: 1 up, 1 down
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def is_too_deep(body: bytes) -> bool:
    """True for JSON of more than `DEPTH_MAX` levels; looks closer only where there are that many brackets at all."""
    if len(body) <= 2 * DEPTH_MAX or body.count(b"[") + body.count(b"{") <= DEPTH_MAX:
        return False
    steps = array("b", _STRING.sub(b"", body).translate(_STEPS, _NO_BRACKETS))
    return max(accumulate(steps), default=0) > DEPTH_MAX
