"""The kind of nodes."""

from typing import Final

from clawactors.kernel.kind import Kind, itself
from clawactors.systems.nodes import commands as c
from clawactors.systems.nodes import events as e
from clawactors.systems.nodes.decider import NODE, Node
from clawactors.systems.nodes.external import COMMANDS, command_of

__all__ = ["NODES"]

NODES: Final[Kind[c.NodeCommand, Node, e.NodeEvent]] = Kind(
    name="node",
    decider=NODE,
    codec=e.CODEC,
    command_decoder=COMMANDS,
    command_of=command_of,
    believes=itself,
    administers=True,
)
