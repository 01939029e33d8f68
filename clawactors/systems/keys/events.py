"""What happened to keys. Tags are promises (see `clawactors.eventlog.codec`)."""

import msgspec

from clawactors.eventlog import Codec
from clawactors.systems.tasks.events import Count

__all__ = ["CODEC", "KeyAdded", "KeyEvent", "KeyGrant", "KeyRevoked"]


class KeyGrant(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the holder of the secret with this SHA-256 may do, as `user`, until `expires_ns` (0: for ever).

    `rate_per_s` and `quota_per_day` bound its requests, 0 for no bound.
    """

    sha256: str
    scopes: tuple[str, ...] = ("read",)
    user: str = ""
    expires_ns: Count = 0
    rate_per_s: float = 0.0
    quota_per_day: Count = 0


class KeyAdded(KeyGrant, frozen=True, omit_defaults=True, kw_only=True, tag="apikey.added"):
    """The key opens what it grants."""

    by: str = ""


class KeyRevoked(msgspec.Struct, frozen=True, omit_defaults=True, tag="apikey.revoked"):
    """The key opens nothing any more."""

    by: str = ""


type KeyEvent = KeyAdded | KeyRevoked

CODEC: Codec[KeyEvent] = Codec(KeyEvent.__value__)
