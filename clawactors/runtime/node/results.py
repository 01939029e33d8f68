"""Results of code as JSON, exactly as every reader of the log gets them back."""

from typing import Any, Final

import msgspec

from clawactors.eventlog.nesting import is_too_deep
from clawactors.eventlog.numbers import unfit_number
from clawactors.kernel.errors import Refused
from clawactors.systems.tasks.payload import INLINE_MAX_BYTES, PAYLOAD_MAX_BYTES, is_reference, shown_size

__all__ = ["as_json", "encoded_and_decoded", "is_large"]

_LEVELS_AROUND: Final = 10
"""Nesting levels of a commit around a result, and some spare ones for the envelopes of other readers."""


def as_json(value: Any, whose: str) -> Any:
    """The value after a round trip through JSON. Raises: `Refused` where readers could get different values back."""
    return encoded_and_decoded(value, whose)[1]


def is_large(encoded: bytes, value: Any) -> bool:
    """True for a value that has to be recorded by reference."""
    return len(encoded) > INLINE_MAX_BYTES or is_reference(value)


def encoded_and_decoded(value: Any, whose: str) -> tuple[bytes, Any]:
    """The value as JSON, and after the round trip. Raises: as `as_json`."""
    if value is None:
        return b"null", value
    try:
        encoded = msgspec.json.encode(value)
        decoded = msgspec.json.decode(encoded)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise Refused(f"{whose} returned what JSON can't hold: {error}") from None
    if len(encoded) > PAYLOAD_MAX_BYTES:
        raise Refused(
            f"{whose} returned {shown_size(len(encoded))}; results may have {shown_size(PAYLOAD_MAX_BYTES)}: "
            "put it elsewhere and return where"
        )
    if is_too_deep(b"[" * _LEVELS_AROUND + encoded):
        raise Refused(f"{whose} returned what JSON can't hold for sure: it is nested deeper than any reader may go")
    if unfit := unfit_number(value, encoded, any_length=True):
        raise Refused(f"{whose} returned what JSON can't hold: {unfit}")
    return encoded, decoded
