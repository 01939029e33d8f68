"""The question of a node for a key of an owner, on `claw.query.<principal>.key`: no node may read where they lie."""

from typing import Final

import msgspec

from clawactors.runtime.asking import Failure

__all__ = ["KEY", "KeyQuestion", "KeyReply"]

KEY: Final = "key"


class KeyQuestion(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The key of that name; without one the key to seal with, which is made where there is none."""

    owner: str
    name: str = ""


class KeyReply(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The key; without a name where there is none."""

    name: str = ""
    secret: bytes = b""
    error: Failure | None = None
