"""The rules of keys.

1. A key is never changed: another grant needs another secret, under the same name once the first was revoked.
2. A revoked key stays on record, and so does who added and revoked it.
"""

import re
from typing import Final, assert_never

import msgspec
from msgspec.structs import replace

from clawactors.kernel.decider import Decider
from clawactors.kernel.errors import Exists, Refused
from clawactors.systems.keys import commands as c
from clawactors.systems.keys import events as e

__all__ = ["KEY", "SCOPES", "ApiKey", "decide", "evolve", "is_valid"]

SCOPES: Final = ("read", "tasks", "memory", "admin")
"""`read`: look at everything but memories; `tasks`: also submit and change tasks; `memory`: read and change memories;
`admin`: all of it, and nodes, schedules, settings, keys."""

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_RATE_MAX: Final = 1_000_000


class ApiKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """The state of a key; times in ns since 1970."""

    grant: e.KeyGrant | None = None
    added_ns: int = 0
    added_by: str = ""
    revoked_ns: int = 0
    updated_ns: int = 0

    @property
    def exists(self) -> bool:
        """False before it was added and once it was revoked."""
        return self.status == "active"

    @property
    def status(self) -> str:
        """For people; a key whose time is over is still `active` here, because no clock is known."""
        return "absent" if self.grant is None else "revoked" if self.revoked_ns else "active"


def is_valid(key: ApiKey, now_ns: int) -> bool:
    """True while it opens anything."""
    grant = key.grant
    return grant is not None and not key.revoked_ns and not 0 < grant.expires_ns <= now_ns


def decide(command: c.KeyCommand, key: ApiKey) -> tuple[e.KeyEvent, ...]:
    """The events that the command leads to in this state, none for a repeat. Raises `Refused`."""
    match command:
        case c.AddKey(grant=grant, at_ns=at_ns, by=by):
            if key.exists and key.grant == grant:
                return ()
            if key.exists:
                raise Exists("exists: revoke it first, or choose another name")
            _check(grant, at_ns)
            return (e.KeyAdded(**msgspec.structs.asdict(grant), by=by),)
        case c.RevokeKey(by=by):
            return (e.KeyRevoked(by),) if key.exists else ()
        case _:
            assert_never(command)


def _check(grant: e.KeyGrant, at_ns: int) -> None:
    if not _DIGEST.fullmatch(grant.sha256):
        raise Refused("a key is known by the SHA-256 of its secret, 64 hexadecimal digits")
    unknown = [scope for scope in grant.scopes if scope not in SCOPES]
    if unknown or not grant.scopes:
        raise Refused(
            f"the scope {unknown[0][:40]!r} is none of {', '.join(SCOPES)}" if unknown else "a key has a scope"
        )
    if 0 < grant.expires_ns <= at_ns:
        raise Refused("the key would expire before it was added")
    if not 0 <= grant.rate_per_s <= _RATE_MAX:
        raise Refused(f"the rate is {grant.rate_per_s:g}/s; use 0 for no limit, to {_RATE_MAX}")


def evolve(key: ApiKey, event: e.KeyEvent, at_ns: int) -> ApiKey:
    """The state after the event; the same object where the event is illegal in this state."""
    match event:
        case e.KeyAdded() if not key.exists:
            fields = msgspec.structs.asdict(event)
            by = fields.pop("by")
            return ApiKey(e.KeyGrant(**fields), at_ns, by, updated_ns=at_ns)
        case e.KeyRevoked() if key.exists:
            return replace(key, revoked_ns=at_ns, updated_ns=at_ns)
        case e.KeyAdded() | e.KeyRevoked():
            return key
        case _:
            assert_never(event)


KEY: Final[Decider[c.KeyCommand, ApiKey, e.KeyEvent]] = Decider("apikey", ApiKey(), decide, evolve)
