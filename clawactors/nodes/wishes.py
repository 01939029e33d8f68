"""Commands to nodes as other programs write them: what a person may ask, and nothing of what a node says of itself."""

from typing import assert_never

import msgspec

from clawactors.nodes import commands as c
from clawactors.nodes.events import Slots
from clawactors.outside import Outside, Wish, read_wish

__all__ = ["outside_of"]


class _Drain(Wish, frozen=True, tag="node.drain"):
    pass


class _Cordon(Wish, frozen=True, tag="node.cordon"):
    pass


class _Uncordon(Wish, frozen=True, tag="node.uncordon"):
    pass


class _Remove(Wish, frozen=True, tag="node.remove"):
    pass


class _Configure(Wish, frozen=True, tag="node.configure"):
    slots: Slots | None = None
    affinity: dict[str, str] | None = None


type _Any = _Drain | _Cordon | _Uncordon | _Remove | _Configure

_DECODER: msgspec.json.Decoder[_Any] = msgspec.json.Decoder(_Any.__value__)


def outside_of(body: bytes, by: str) -> Outside[c.NodeCommand]:
    """The command that another program has written; events of nodes don't say who asked. Raises: `Refused`."""
    wish = read_wish(_DECODER, body, "node")
    return Outside(_command_of(wish), wish.id)


def _command_of(wish: _Any) -> c.NodeCommand:
    match wish:
        case _Drain():
            return c.Drain(held=True)
        case _Cordon():
            return c.Cordon()
        case _Uncordon():
            return c.Uncordon()
        case _Remove():
            return c.Remove()
        case _Configure():
            return c.Configure(wish.slots, wish.affinity)
        case _:
            assert_never(wish)
