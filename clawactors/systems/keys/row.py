"""Keys as people and scripts read them. The names are promises: extend freely, drop none."""

from typing import Any

from clawactors.kernel.time import iso
from clawactors.systems.keys.decider import ApiKey

__all__ = ["row"]


def row(name: str, version: int, key: ApiKey) -> dict[str, Any]:
    """A key, without the digest of its secret. Times are ISO 8601 with zone or None."""
    grant = key.grant
    return {
        "name": name,
        "status": key.status,
        "scopes": grant.scopes if grant else (),
        "user": grant.user if grant else "",
        "expires_at": iso(grant.expires_ns) if grant else None,
        "rate_per_s": grant.rate_per_s if grant else 0.0,
        "quota_per_day": grant.quota_per_day if grant else 0,
        "added_at": iso(key.added_ns),
        "added_by": key.added_by,
        "revoked_at": iso(key.revoked_ns),
        "version": version,
    }
