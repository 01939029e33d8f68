"""Commands to nodes as other programs write them: what a person may ask, and nothing of what a node says of itself."""

from typing import Any, Final, assert_never

import msgspec

from clawactors.kernel.external import ExternalCommand
from clawactors.systems.nodes import commands as c
from clawactors.systems.nodes.events import Slots

__all__ = [
    "COMMANDS",
    "ConfigureNodeRequest",
    "CordonNodeRequest",
    "DrainNodeRequest",
    "RemoveNodeRequest",
    "UncordonNodeRequest",
    "command_of",
]


class DrainNodeRequest(ExternalCommand, frozen=True, tag="node.drain"):
    """Drain the node."""


class CordonNodeRequest(ExternalCommand, frozen=True, tag="node.cordon"):
    """Cordon the node."""


class UncordonNodeRequest(ExternalCommand, frozen=True, tag="node.uncordon"):
    """Lift a cordon or a drain."""


class RemoveNodeRequest(ExternalCommand, frozen=True, tag="node.remove"):
    """Remove a node that is gone."""


class ConfigureNodeRequest(ExternalCommand, frozen=True, tag="node.configure"):
    """Change slots or affinity."""

    slots: Slots | None = None
    affinity: dict[str, str] | None = None


type _Any = DrainNodeRequest | CordonNodeRequest | UncordonNodeRequest | RemoveNodeRequest | ConfigureNodeRequest

COMMANDS: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(_Any.__value__)
"""What other programs may ask of a node."""


def command_of(command: _Any, _by: str, _at_ns: int) -> c.NodeCommand:
    """The command that another program asks for; events of nodes don't say who asked."""
    match command:
        case DrainNodeRequest():
            return c.DrainNode(held=True)
        case CordonNodeRequest():
            return c.CordonNode()
        case UncordonNodeRequest():
            return c.UncordonNode()
        case RemoveNodeRequest():
            return c.RemoveNode()
        case ConfigureNodeRequest():
            return c.ConfigureNode(command.slots, command.affinity)
        case _:
            assert_never(command)
