"""Commands about identities as other programs write them."""

from typing import Any, Final, assert_never

import msgspec

from clawactors.kernel.external import ExternalCommand
from clawactors.systems.identities import commands as c
from clawactors.systems.identities.events import Invitation

__all__ = [
    "COMMANDS",
    "InviteRequest",
    "JoinRequest",
    "RenewRequest",
    "RevokeRequest",
    "command_of",
]


class InviteRequest(ExternalCommand, frozen=True, kw_only=True, tag="identity.invite"):
    """Let anyone who knows the secret join."""

    invitation: Invitation


class JoinRequest(ExternalCommand, frozen=True, kw_only=True, tag="identity.join"):
    """Admit the holder of this key and the secret of the invitation."""

    sha256: str
    public_key: str
    host: str = ""


class RenewRequest(ExternalCommand, frozen=True, kw_only=True, tag="identity.renew"):
    """Let another key count in place of the one that it has."""

    public_key: str


class RevokeRequest(ExternalCommand, frozen=True, kw_only=True, tag="identity.revoke"):
    """Let nothing of it count any more."""

    reason: str = ""


type _Any = InviteRequest | JoinRequest | RenewRequest | RevokeRequest

COMMANDS: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(_Any.__value__)
"""What other programs may ask."""


def command_of(command: _Any, by: str, at_ns: int) -> c.IdentityCommand:
    """The command that another program asks for, `by` unless it says who asks."""
    by = command.by or by
    match command:
        case InviteRequest(invitation=invitation):
            return c.Invite(invitation, at_ns, by)
        case JoinRequest(sha256=sha256, public_key=key, host=host):
            return c.Join(sha256, key, at_ns, host)
        case RenewRequest(public_key=key):
            return c.Renew(key)
        case RevokeRequest(reason=reason):
            return c.Revoke(by, reason)
        case _:
            assert_never(command)
