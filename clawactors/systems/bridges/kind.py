"""The kind of bridges."""

from typing import Final

from clawactors.kernel.kind import Kind
from clawactors.systems.bridges.decider import BRIDGE, BridgeCommand, BridgeState
from clawactors.systems.bridges.events import CODEC, BridgeEvent
from clawactors.systems.bridges.external import COMMANDS, command_of

__all__ = ["BRIDGES"]

BRIDGES: Final[Kind[BridgeCommand, BridgeState, BridgeEvent]] = Kind(
    name="bridge",
    decider=BRIDGE,
    codec=CODEC,
    command_decoder=COMMANDS,
    command_of=command_of,
    administers=True,
)
