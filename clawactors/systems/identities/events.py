"""What happened to identities. Tags are promises (see `clawactors.eventlog.codec`)."""

import msgspec

from clawactors.eventlog import Codec
from clawactors.systems.tasks.events import Count

__all__ = [
    "CODEC",
    "IdentityEvent",
    "IdentityInvited",
    "IdentityJoined",
    "IdentityRenewed",
    "IdentityRevoked",
    "IdentityUsed",
    "Invitation",
]


class Invitation(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Anyone who knows the secret with this SHA-256 may join in this role, `uses` times until `expires_ns`.

    `skills` is what a node runs that says nothing else.
    """

    role: str
    sha256: str
    expires_ns: Count
    uses: Count = 1
    skills: tuple[str, ...] = ()


class IdentityInvited(Invitation, frozen=True, omit_defaults=True, kw_only=True, tag="identity.invited"):
    """Somebody may join under this name, or under names that begin with it where it is for several."""

    by: str = ""


class IdentityJoined(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag="identity.joined"):
    """The holder of this key has this name; `invitation` admitted it where that was not its own."""

    role: str
    public_key: str
    host: str = ""
    invitation: str = ""


class IdentityUsed(msgspec.Struct, frozen=True, tag="identity.used"):
    """The invitation has admitted the holder of this key, under the name of the member."""

    member: str
    public_key: str


class IdentityRenewed(msgspec.Struct, frozen=True, tag="identity.renewed"):
    """It has another key now; the one before is refused."""

    public_key: str


class IdentityRevoked(msgspec.Struct, frozen=True, omit_defaults=True, tag="identity.revoked"):
    """Neither its key nor its invitation counts any more."""

    by: str = ""
    reason: str = ""


type IdentityEvent = IdentityInvited | IdentityJoined | IdentityUsed | IdentityRenewed | IdentityRevoked

CODEC: Codec[IdentityEvent] = Codec(IdentityEvent.__value__)
