"""What can be asked about keys."""

import msgspec

from clawactors.systems.keys.events import KeyGrant

__all__ = ["AddKey", "KeyCommand", "RevokeKey"]


class AddKey(msgspec.Struct, frozen=True):
    """Let the holder of the secret do what the grant says."""

    grant: KeyGrant
    at_ns: int
    by: str = ""


class RevokeKey(msgspec.Struct, frozen=True):
    """Let the key open nothing any more."""

    by: str = ""


type KeyCommand = AddKey | RevokeKey
"""What `decide` takes."""
