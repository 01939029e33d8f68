"""Identities as people and scripts read them. The names are promises: extend freely, drop none."""

from typing import Any, Final

from clawactors.kernel.time import iso
from clawactors.systems.identities.decider import Identity

__all__ = ["STATUSES", "row"]

STATUSES: Final = ("invited", "expired", "joined", "revoked")
"""`expired`: invited, and the invitation is over."""


def row(name: str, version: int, identity: Identity, now_ns: int = 0) -> dict[str, Any]:
    """A machine or a person, without the digest of a secret. Times are ISO 8601 with zone or None."""
    invitation = identity.invitation
    is_over = identity.status == "invited" and invitation is not None and invitation.expires_ns <= now_ns
    return {
        "name": name,
        "role": identity.role,
        "status": "expired" if is_over else identity.status,
        "host": identity.host,
        "public_key": identity.public_key,
        "skills": invitation.skills if invitation else (),
        "uses": invitation.uses if invitation else 1,
        "used": identity.used,
        "members": tuple(identity.members.values()),
        "invitation": identity.admitted_by,
        "invited_at": iso(identity.invited_ns),
        "invited_by": identity.invited_by,
        "expires_at": iso(invitation.expires_ns) if invitation else None,
        "joined_at": iso(identity.joined_ns),
        "revoked_at": iso(identity.revoked_ns),
        "revoked_by": identity.revoked_by,
        "reason": identity.reason,
        "version": version,
    }
