"""Commands to nodes as other programs write them: what a person may ask, and nothing of what a node says of itself."""

from typing import assert_never

import msgspec

from clawactors.kernel.external import DecodedCommand, ExternalCommand, decode_command
from clawactors.systems.nodes import commands as c
from clawactors.systems.nodes.events import Slots

__all__ = ["outside_of"]


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

_DECODER: msgspec.json.Decoder[_Any] = msgspec.json.Decoder(_Any.__value__)


def outside_of(body: bytes, by: str) -> DecodedCommand[c.NodeCommand]:
    """The command that another program has written; events of nodes don't say who asked. Raises: `Refused`."""
    wish = decode_command(_DECODER, body, "node")
    return DecodedCommand(_command_of(wish), wish.id)


def _command_of(wish: _Any) -> c.NodeCommand:
    match wish:
        case _Drain():
            return c.DrainNode(held=True)
        case _Cordon():
            return c.CordonNode()
        case _Uncordon():
            return c.UncordonNode()
        case _Remove():
            return c.RemoveNode()
        case _Configure():
            return c.ConfigureNode(wish.slots, wish.affinity)
        case _:
            assert_never(wish)
