"""A request that an owner's words be erased, and how far it is: a client asks again until it is done."""

from typing import Any

import msgspec

from clawactors.runtime.asking import Failure

__all__ = ["EraseReply", "EraseRequest"]


class EraseRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """Erase all that is personal of `owner`; `request` names it: asked again, it is the same erasure.

    `prepare`: only see to it that nothing of theirs is under way, and answer with an empty receipt.
    `cancel`: open tasks of the owner are cancelled first, and their schedules and triggers removed.
    """

    owner: str
    request: str
    cancel: bool = False
    prepare: bool = False
    reason: str = ""


class EraseReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """The receipt once it is done; until then the `stage` that it is at."""

    stage: str = ""
    receipt: dict[str, Any] | None = None
    error: Failure | None = None
