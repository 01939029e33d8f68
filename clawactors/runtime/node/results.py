"""What code returned, as every reader of the log gets it back."""

from typing import Any, Final

import msgspec

from clawactors.errors import Refused
from eventlog.nesting import is_too_deep
from eventlog.numbers import unfit_number

__all__ = ["RESULT_MAX_BYTES", "as_json"]

RESULT_MAX_BYTES: Final = 256 * 1024
_LEVELS_AROUND: Final = 10
"""Levels of a commit around a result, and some to spare for other readers' envelopes."""


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
    if is_too_deep(b"[" * _LEVELS_AROUND + encoded):
        raise Refused(f"{whose} returned what JSON can't hold for sure: it is nested deeper than any reader may go")
    if unfit := unfit_number(value, encoded, any_length=True):
        raise Refused(f"{whose} returned what JSON can't hold: {unfit}")
    return decoded
