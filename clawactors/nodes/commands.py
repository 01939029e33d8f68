"""What can be asked of a node. Commands that speak for one run of it name its incarnation."""

import msgspec

from clawactors.nodes.events import Joined

__all__ = ["Configure", "Cordon", "Drain", "Join", "Leave", "Lose", "NodeCommand", "Remove", "Return", "Uncordon"]


class _Command(msgspec.Struct, frozen=True):
    pass


class Join(_Command, frozen=True):
    """A new incarnation wants in. `alive` tells whether the lease of an older one still holds."""

    joined: Joined
    alive: bool = False


class Leave(_Command, frozen=True):
    """It stops in good order."""

    incarnation: str
    reason: str = ""


class Lose(_Command, frozen=True):
    """Nothing is heard of that incarnation."""

    incarnation: str
    reason: str


class Return(_Command, frozen=True):
    """The lost incarnation is heard again."""

    incarnation: str


class Drain(_Command, frozen=True):
    """Finish what runs, hand back the rest, take nothing new; `held`, as a person asks for it: until that is lifted."""

    held: bool = False


class Cordon(_Command, frozen=True):
    """Take nothing new."""


class Uncordon(_Command, frozen=True):
    """Take work again."""


class Configure(_Command, frozen=True):
    """Change slots or affinity."""

    slots: int | None = None
    affinity: dict[str, str] | None = None


class Remove(_Command, frozen=True):
    """Forget a node that is gone."""


type NodeCommand = Join | Leave | Lose | Return | Drain | Cordon | Uncordon | Configure | Remove
