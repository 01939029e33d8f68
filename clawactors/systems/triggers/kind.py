"""The kind of triggers."""

from typing import Final

from clawactors.kernel.kind import Kind
from clawactors.systems.triggers import commands as c
from clawactors.systems.triggers import events as e
from clawactors.systems.triggers.decider import TRIGGER, Trigger
from clawactors.systems.triggers.external import COMMANDS, command_of

__all__ = ["TRIGGERS"]

TRIGGERS: Final[Kind[c.TriggerCommand, Trigger, e.TriggerEvent]] = Kind(
    name="trigger", decider=TRIGGER, codec=e.CODEC, command_decoder=COMMANDS, command_of=command_of
)
