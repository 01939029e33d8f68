"""What can be asked about identities."""

import msgspec

from clawactors.systems.identities.events import Invitation

__all__ = ["IdentityCommand", "Invite", "Join", "Register", "Renew", "Revoke"]


class Invite(msgspec.Struct, frozen=True):
    """Let anyone who knows the secret join."""

    invitation: Invitation
    at_ns: int
    by: str = ""


class Join(msgspec.Struct, frozen=True):
    """Admit the holder of this key and the secret; under the name of `member` where the invitation is for several."""

    sha256: str
    public_key: str
    at_ns: int
    host: str = ""
    member: str = ""


class Register(msgspec.Struct, frozen=True):
    """Give this name to the holder of the key, whom an invitation of another name has admitted."""

    role: str
    public_key: str
    invitation: str
    host: str = ""


class Renew(msgspec.Struct, frozen=True):
    """Let another key count in place of the one that it has."""

    public_key: str


class Revoke(msgspec.Struct, frozen=True):
    """Let nothing of it count any more."""

    by: str = ""
    reason: str = ""


type IdentityCommand = Invite | Join | Register | Renew | Revoke
"""What `decide` takes."""
