"""What can be asked of an owner."""

import msgspec

from clawactors.systems.owners.events import Forgetting, OwnerSettings

__all__ = ["Configure", "ForgetOwner", "OwnerCommand"]


class Configure(msgspec.Struct, frozen=True):
    """These settings shall hold."""

    owner: str
    settings: OwnerSettings


class ForgetOwner(msgspec.Struct, frozen=True):
    """Forget what was said up to a position."""

    owner: str
    forgetting: Forgetting
    reason: str = ""


type OwnerCommand = Configure | ForgetOwner
