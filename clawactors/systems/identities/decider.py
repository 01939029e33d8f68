"""The rules of identities.

1. A name is one machine or one person: nobody else gets it until it is revoked.
2. A key that was replaced or revoked never counts again, whatever is asked later.
3. An invitation admits as often as it says, until it expires, to anyone who knows its secret; a new one replaces it.
4. Asked again with the same secret and the same key, joining changes nothing: the answer may have been lost.
"""

import re
from typing import Final, assert_never

import msgspec
from msgspec.structs import replace

from clawactors.kernel.decider import Decider
from clawactors.kernel.errors import Exists, NotFound, Refused
from clawactors.systems.identities import commands as c
from clawactors.systems.identities import events as e

__all__ = ["IDENTITY", "ROLES", "Identity", "decide", "evolve", "is_open", "refused_keys"]

ROLES: Final = ("node", "client", "observer")
"""`node`: runs tasks; `client`: submits and changes tasks, remembers and recalls, as itself; `observer`: looks."""
USES_MAX: Final = 500
"""All whom an invitation has admitted are revoked in one commit."""

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_PUBLIC_KEY: Final = re.compile(r"U[A-Z2-7]{55}")
_TEXT_MAX: Final = 256
_SKILLS_MAX: Final = 100


class Identity(msgspec.Struct, frozen=True, omit_defaults=True):
    """The state of a name; times in ns since 1970.

    `members` are those whom an invitation for several has admitted, public key -> name. `retired` are keys that count
    no longer, with the time of that.
    """

    invitation: e.Invitation | None = None
    members: dict[str, str] = {}
    role: str = ""
    public_key: str = ""
    host: str = ""
    admitted_by: str = ""
    retired: tuple[tuple[str, int], ...] = ()
    invited_ns: int = 0
    invited_by: str = ""
    joined_ns: int = 0
    revoked_ns: int = 0
    revoked_by: str = ""
    reason: str = ""
    updated_ns: int = 0

    @property
    def exists(self) -> bool:
        """False before it was invited and once it was revoked."""
        return self.status in ("invited", "joined")

    @property
    def status(self) -> str:
        """For people; an invitation whose time is over is still `invited` here, because no clock is known."""
        if self.revoked_ns:
            return "revoked"
        return "joined" if self.public_key else "invited" if self.invitation else "absent"

    @property
    def used(self) -> int:
        """How many the invitation has admitted."""
        return len(self.members) or int(bool(self.public_key) and not self.admitted_by)


def is_open(identity: Identity, sha256: str, now_ns: int) -> bool:
    """True where a holder of this secret may connect in order to join, also again with the key that has joined."""
    invitation = identity.invitation
    if invitation is None or identity.revoked_ns or invitation.sha256 != sha256:
        return False
    return now_ns < invitation.expires_ns


def refused_keys(identity: Identity) -> tuple[tuple[str, int], ...]:
    """Revoked and replaced keys, each with the time in ns since 1970."""
    return identity.retired


def decide(command: c.IdentityCommand, identity: Identity) -> tuple[e.IdentityEvent, ...]:
    """The events that the command leads to in this state, none for a repeat. Raises `Refused`."""
    match command:
        case c.Invite(invitation=invitation, at_ns=at_ns, by=by):
            return _invite(invitation, at_ns, by, identity)
        case c.Join():
            return _join(command, identity)
        case c.Register(role=role, public_key=key, invitation=invitation, host=host):
            return _register(role, key, invitation, host, identity)
        case c.Renew(public_key=key):
            if identity.status != "joined":
                raise Refused("has not joined, or was revoked: ask for an invitation")
            _check_key(key, identity)
            return () if key == identity.public_key else (e.IdentityRenewed(key),)
        case c.Revoke(by=by, reason=reason):
            if identity.status == "absent":
                raise NotFound("was never invited")
            return (e.IdentityRevoked(by, reason[:_TEXT_MAX]),) if identity.exists else ()
        case _:
            assert_never(command)


def _invite(invitation: e.Invitation, at_ns: int, by: str, identity: Identity) -> tuple[e.IdentityEvent, ...]:
    if identity.status == "joined":
        raise Exists("has joined already: revoke it first, or choose another name")
    if identity.exists and identity.members:
        raise Exists("has admitted others already: revoke it first, or choose another name")
    if invitation.role not in ROLES:
        raise Refused(f"the role {invitation.role[:40]!r} is none of {', '.join(ROLES)}")
    if not _DIGEST.fullmatch(invitation.sha256):
        raise Refused("an invitation is known by the SHA-256 of its secret, 64 hexadecimal digits")
    if invitation.expires_ns <= at_ns:
        raise Refused("the invitation would expire before it was made")
    if not 1 <= invitation.uses <= USES_MAX:
        raise Refused(f"an invitation is for 1 to {USES_MAX} machines, not {invitation.uses}")
    if len(invitation.skills) > _SKILLS_MAX or any(len(skill) > _TEXT_MAX for skill in invitation.skills):
        raise Refused(f"an invitation names at most {_SKILLS_MAX} modules or files of skills")
    if identity.exists and identity.invitation == invitation:
        return ()
    return (e.IdentityInvited(**msgspec.structs.asdict(invitation), by=by),)


def _join(command: c.Join, identity: Identity) -> tuple[e.IdentityEvent, ...]:
    invitation = identity.invitation
    if identity.status == "absent" or invitation is None:
        raise NotFound("is not invited: ask for an invitation")
    if invitation.sha256 != command.sha256:
        raise Refused("has another invitation now: ask for its line")
    if identity.revoked_ns:
        raise Refused("was revoked: ask for a new invitation")
    _check_key(command.public_key, identity)
    if command.public_key == identity.public_key or command.public_key in identity.members:
        return ()
    if invitation.expires_ns <= command.at_ns:
        raise Refused("has an invitation that has expired: ask for a new one")
    if identity.used >= invitation.uses:
        raise Refused("has an invitation that was used: ask for a new one")
    if invitation.uses > 1:
        if not command.member or command.member in identity.members.values():
            raise Refused("is for several: say under which name this one joins")
        return (e.IdentityUsed(command.member, command.public_key),)
    return (e.IdentityJoined(role=invitation.role, public_key=command.public_key, host=command.host[:_TEXT_MAX]),)


def _register(role: str, key: str, invitation: str, host: str, identity: Identity) -> tuple[e.IdentityEvent, ...]:
    if identity.status == "joined" and (identity.public_key, identity.admitted_by) == (key, invitation):
        return ()
    if identity.exists:
        raise Exists("is the name of somebody else")
    if role not in ROLES:
        raise Refused(f"the role {role[:40]!r} is none of {', '.join(ROLES)}")
    _check_key(key, identity)
    return (e.IdentityJoined(role=role, public_key=key, host=host[:_TEXT_MAX], invitation=invitation),)


def _check_key(key: str, identity: Identity) -> None:
    if not _PUBLIC_KEY.fullmatch(key):
        raise Refused("a key is the public one of a NATS user: U and 55 letters and digits")
    if _counts_no_longer(key, identity):
        raise Refused("had this key, which counts no longer: make a new one")


def evolve(identity: Identity, event: e.IdentityEvent, at_ns: int) -> Identity:
    """The state after the event; the same object where the event is illegal in this state."""
    match event:
        case e.IdentityInvited() if identity.status != "joined" and not (identity.exists and identity.members):
            fields = msgspec.structs.asdict(event)
            by = fields.pop("by")
            return Identity(
                invitation=e.Invitation(**fields),
                role=event.role,
                retired=identity.retired,
                invited_ns=at_ns,
                invited_by=by,
                updated_ns=at_ns,
            )
        case e.IdentityJoined() if _may_join(identity, event):
            return replace(
                Identity(retired=identity.retired) if event.invitation else identity,
                role=event.role,
                public_key=event.public_key,
                host=event.host,
                admitted_by=event.invitation,
                joined_ns=at_ns,
                updated_ns=at_ns,
            )
        case e.IdentityUsed(member=member, public_key=key) if _may_admit(identity, event):
            return replace(identity, members=identity.members | {key: member}, updated_ns=at_ns)
        case e.IdentityRenewed(public_key=key) if identity.status == "joined" and not _counts_no_longer(key, identity):
            return replace(identity, public_key=key, retired=_retired(identity, at_ns), updated_ns=at_ns)
        case e.IdentityRevoked(by=by, reason=reason) if identity.exists:
            return replace(
                identity,
                public_key="",
                retired=_retired(identity, at_ns),
                revoked_ns=at_ns,
                revoked_by=by,
                reason=reason,
                updated_ns=at_ns,
            )
        case _:
            return identity


def _may_join(identity: Identity, event: e.IdentityJoined) -> bool:
    invitation = identity.invitation
    own = identity.status == "invited" and invitation is not None and invitation.uses == 1
    return (not identity.exists if event.invitation else own) and not _counts_no_longer(event.public_key, identity)


def _may_admit(identity: Identity, event: e.IdentityUsed) -> bool:
    invitation, members = identity.invitation, identity.members
    if identity.status != "invited" or invitation is None or invitation.uses in (1, len(members)):
        return False
    return event.public_key not in members and event.member not in members.values()


def _counts_no_longer(key: str, identity: Identity) -> bool:
    return any(key == retired for retired, _ in identity.retired)


def _retired(identity: Identity, at_ns: int) -> tuple[tuple[str, int], ...]:
    return (*identity.retired, (identity.public_key, at_ns)) if identity.public_key else identity.retired


IDENTITY: Final[Decider[c.IdentityCommand, Identity, e.IdentityEvent]] = Decider("identity", Identity(), decide, evolve)
"""The kind of identities."""
