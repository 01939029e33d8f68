"""The kind of counters, and their commands as other programs write them."""

from typing import Any, Final

import msgspec

from clawactors.kernel.external import ExternalCommand
from clawactors.kernel.kind import Kind
from tests.toy.counters.decider import CODEC, COUNTER, Counter, CounterCommand, CounterEvent, Raise, Reset

__all__ = ["COUNTERS", "RaiseRequest", "ResetRequest"]


class RaiseRequest(ExternalCommand, frozen=True, tag="counter.raise"):
    """Raise the counter."""

    amount: int = 1


class ResetRequest(ExternalCommand, frozen=True, tag="counter.reset"):
    """Set the counter to 0."""


type _Any = RaiseRequest | ResetRequest

COMMANDS: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(_Any.__value__)


def command_of(command: _Any, _by: str, _at_ns: int) -> CounterCommand:
    """The command that another program asks for."""
    return Raise(command.amount) if isinstance(command, RaiseRequest) else Reset()


COUNTERS: Final[Kind[CounterCommand, Counter, CounterEvent]] = Kind(
    name="counter", decider=COUNTER, codec=CODEC, command_decoder=COMMANDS, command_of=command_of
)
