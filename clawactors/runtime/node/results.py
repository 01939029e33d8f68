"""Results of code as JSON, exactly as every reader of the log gets them back."""

from typing import Any, Final

import msgspec

from clawactors.eventlog.nesting import is_too_deep
from clawactors.eventlog.numbers import unfit_number
from clawactors.kernel.errors import Refused
from clawactors.systems.skills.returns import JSON, Returns
from clawactors.systems.tasks.jsonvalues import encode, odd_key, to_json, why_unfit
from clawactors.systems.tasks.payload import INLINE_MAX_BYTES, PAYLOAD_MAX_BYTES, is_reference, shown_size

__all__ = ["as_json", "encoded_and_decoded", "is_large"]

_LEVELS_AROUND: Final = 10
"""Nesting levels of a commit around a result, and some spare ones for the envelopes of other readers."""


def as_json(value: Any, whose: str, returns: Returns = JSON) -> Any:
    """The value after a round trip through JSON. Raises: `Refused` where readers could get different values back."""
    return encoded_and_decoded(value, whose, returns)[1]


def is_large(encoded: bytes, value: Any) -> bool:
    """True for a value that has to be recorded by reference."""
    return len(encoded) > INLINE_MAX_BYTES or is_reference(value)


def encoded_and_decoded(value: Any, whose: str, returns: Returns = JSON) -> tuple[bytes, Any]:
    """The value as JSON, and after the round trip; `returns` is what it is made again of it. Raises: as `as_json`."""
    if value is None:
        return b"null", value
    try:
        encoded = encode(value)
        decoded = msgspec.json.decode(encoded)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise Refused(f"{whose} returned what JSON can't hold: {why_unfit(value, error)}") from None
    if not _same(decoded, value) and (key := odd_key(value)) and not returns.restores(decoded, value):
        raise Refused(
            f"{whose} returned a dict with the key {key}, which JSON turns into text: make the keys texts, or annotate "
            "what the function returns, as in `-> dict[int, str]`"
        )
    if len(encoded) > PAYLOAD_MAX_BYTES:
        raise Refused(
            f"{whose} returned {shown_size(len(encoded))}; results may have {shown_size(PAYLOAD_MAX_BYTES)}: "
            "put it elsewhere and return where"
        )
    if is_too_deep(b"[" * _LEVELS_AROUND + encoded):
        raise Refused(f"{whose} returned what JSON can't hold for sure: it is nested deeper than any reader may go")
    if unfit := unfit_number(value, encoded, any_length=True, to_json=to_json):
        raise Refused(f"{whose} returned what JSON can't hold: {unfit}")
    return encoded, decoded


def _same(decoded: Any, value: Any) -> bool:
    """True where JSON has changed nothing, as far as a comparison can tell."""
    try:
        return bool(decoded == value)
    except Exception:  # what it raises is its own business
        return False
