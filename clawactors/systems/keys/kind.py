"""The kind of keys."""

from typing import Final

from clawactors.kernel.kind import Kind
from clawactors.systems.keys.commands import KeyCommand
from clawactors.systems.keys.decider import KEY, ApiKey
from clawactors.systems.keys.events import CODEC, KeyEvent
from clawactors.systems.keys.external import COMMANDS, command_of

__all__ = ["KEYS"]

KEYS: Final[Kind[KeyCommand, ApiKey, KeyEvent]] = Kind(
    name="apikey",
    decider=KEY,
    codec=CODEC,
    command_decoder=COMMANDS,
    command_of=command_of,
    administers=True,
)
