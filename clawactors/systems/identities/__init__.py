"""Who may connect to the cluster: invited, joined, revoked machines and people; pure.

In: `commands` of administrators, and of the authority that admits who was invited. Out: `events` on
`claw.identity.<name>.log`. Never here: a secret, of which only the SHA-256 is known, and signing
(`clawactors.app.identity`).
"""

from clawactors.systems.identities.decider import IDENTITY, ROLES, Identity, is_open, refused_keys

__all__ = ["IDENTITY", "ROLES", "Identity", "is_open", "refused_keys"]
