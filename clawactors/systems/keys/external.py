"""Commands about keys as other programs write them."""

from typing import Any, Final, assert_never

import msgspec

from clawactors.kernel.external import ExternalCommand
from clawactors.systems.keys import commands as c
from clawactors.systems.keys.events import KeyGrant

__all__ = ["COMMANDS", "AddKeyRequest", "RevokeKeyRequest", "command_of"]


class AddKeyRequest(ExternalCommand, frozen=True, kw_only=True, tag="apikey.add"):
    """Let the holder of the secret do what the grant says."""

    grant: KeyGrant


class RevokeKeyRequest(ExternalCommand, frozen=True, tag="apikey.revoke"):
    """Let the key open nothing any more."""


type _Any = AddKeyRequest | RevokeKeyRequest

COMMANDS: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(_Any.__value__)
"""What other programs may ask."""


def command_of(command: _Any, by: str, at_ns: int) -> c.KeyCommand:
    """The command that another program asks for, `by` unless it says who asks."""
    by = command.by or by
    match command:
        case AddKeyRequest(grant=grant):
            return c.AddKey(grant, at_ns, by)
        case RevokeKeyRequest():
            return c.RevokeKey(by)
        case _:
            assert_never(command)
