"""The kind of erasures. Nobody commands one from outside: it is made of many steps, which control carries out."""

from typing import Any, Final

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.kernel.external import ExternalCommand
from clawactors.kernel.kind import Kind
from clawactors.systems.erasures.decider import ERASURE, Erasure, ErasureCommand
from clawactors.systems.erasures.events import CODEC, ErasureEvent

__all__ = ["COMMANDS", "ERASURES", "EraseOwnerRequest"]


class EraseOwnerRequest(ExternalCommand, frozen=True, tag="erasure.make"):
    """Refused: see `claw erase`."""


COMMANDS: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(EraseOwnerRequest)
"""What other programs may ask of an erasure."""


def _command_of(_command: EraseOwnerRequest, _by: str, _at_ns: int) -> ErasureCommand:
    raise Refused("an erasure is no single command: use claw erase --owner NAME, or claw.erase(owner=…)")


ERASURES: Final[Kind[ErasureCommand, Erasure, ErasureEvent]] = Kind(
    name="erasure",
    decider=ERASURE,
    codec=CODEC,
    command_decoder=COMMANDS,
    command_of=_command_of,
    administers=True,
)
