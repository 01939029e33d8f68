"""What can be asked of a node. Commands that speak for one run of it name its incarnation."""

import msgspec

from clawactors.systems.nodes.events import NodeJoined

__all__ = [
    "ConfigureNode",
    "CordonNode",
    "DrainNode",
    "JoinNode",
    "LeaveNode",
    "LoseNode",
    "NodeCommand",
    "RemoveNode",
    "ReturnNode",
    "UncordonNode",
]


class _NodeCommand(msgspec.Struct, frozen=True):
    pass


class JoinNode(_NodeCommand, frozen=True):
    """A new incarnation wants in. `alive` tells whether the lease of an older one still holds."""

    joined: NodeJoined
    alive: bool = False


class LeaveNode(_NodeCommand, frozen=True):
    """It stops in good order."""

    incarnation: str
    reason: str = ""


class LoseNode(_NodeCommand, frozen=True):
    """Nothing is heard of that incarnation."""

    incarnation: str
    reason: str


class ReturnNode(_NodeCommand, frozen=True):
    """The lost incarnation is heard again."""

    incarnation: str


class DrainNode(_NodeCommand, frozen=True):
    """Finish what runs, hand back the rest, take nothing new; `held`, as a person asks for it: until that is lifted."""

    held: bool = False


class CordonNode(_NodeCommand, frozen=True):
    """Take nothing new."""


class UncordonNode(_NodeCommand, frozen=True):
    """Take work again."""


class ConfigureNode(_NodeCommand, frozen=True):
    """Change slots or affinity."""

    slots: int | None = None
    affinity: dict[str, str] | None = None


class RemoveNode(_NodeCommand, frozen=True):
    """Forget a node that is gone."""


type NodeCommand = (
    JoinNode | LeaveNode | LoseNode | ReturnNode | DrainNode | CordonNode | UncordonNode | ConfigureNode | RemoveNode
)
