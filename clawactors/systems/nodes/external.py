"""Commands to nodes as other programs write them: what a person may ask, and nothing of what a node says of itself."""

from typing import Any, Final, assert_never

import msgspec

from clawactors.kernel.external import ExternalCommand
from clawactors.systems.nodes import commands as c
from clawactors.systems.nodes.events import Slots

__all__ = ["COMMANDS", "command_of"]


class _Drain(ExternalCommand, frozen=True, tag="node.drain"):
    pass


class _Cordon(ExternalCommand, frozen=True, tag="node.cordon"):
    pass


class _Uncordon(ExternalCommand, frozen=True, tag="node.uncordon"):
    pass


class _Remove(ExternalCommand, frozen=True, tag="node.remove"):
    pass


class _Configure(ExternalCommand, frozen=True, tag="node.configure"):
    slots: Slots | None = None
    affinity: dict[str, str] | None = None


type _Any = _Drain | _Cordon | _Uncordon | _Remove | _Configure

COMMANDS: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(_Any.__value__)
"""What other programs may ask of a node."""


def command_of(command: _Any, _by: str, _at_ns: int) -> c.NodeCommand:
    """The command that another program asks for; events of nodes don't say who asked."""
    match command:
        case _Drain():
            return c.DrainNode(held=True)
        case _Cordon():
            return c.CordonNode()
        case _Uncordon():
            return c.UncordonNode()
        case _Remove():
            return c.RemoveNode()
        case _Configure():
            return c.ConfigureNode(command.slots, command.affinity)
        case _:
            assert_never(command)
