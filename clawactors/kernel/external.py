"""Commands that other programs write as JSON: decoded to a command that a kind knows, or refused with the reason.

Nothing else can come of bytes from outside, and nothing is read or written before that is known.
"""

from typing import Any

import msgspec

from clawactors.eventlog import UNREADABLE, is_id
from clawactors.kernel.errors import Refused

__all__ = ["DecodedCommand", "ExternalCommand", "decode_command"]


class ExternalCommand(msgspec.Struct, frozen=True, tag_field="type", kw_only=True, forbid_unknown_fields=True):
    """`id` names the command: with the same id it takes effect once. `by` is who asks, where the sender may say so."""

    id: str = ""
    by: str = ""


class DecodedCommand[C](msgspec.Struct, frozen=True):
    """A command that came from outside; `id` is '' where it was given none, `by` where it does not say who asks."""

    command: C
    id: str = ""
    by: str = ""


def decode_command[W: ExternalCommand](decoder: msgspec.json.Decoder[W], body: bytes, kind: str) -> W:
    """What another program has written. Raises: `Refused`."""
    try:
        command = decoder.decode(body)
    except UNREADABLE as error:
        raise Refused(f"not a command to a {kind}: {error}") from None
    if command.id and not is_id(command.id):
        raise Refused(f"{_shown(command.id)} is not a command id: it takes 1 to 128 letters, digits, '-' or '_'")
    return command


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
