"""The kind of owners."""

from typing import Final

from clawactors.kernel.kind import Home, Kind
from clawactors.systems.owners.commands import OwnerCommand
from clawactors.systems.owners.decider import OWNER
from clawactors.systems.owners.events import CODEC, OwnerEvent
from clawactors.systems.owners.external import COMMANDS, command_of
from clawactors.systems.owners.owner import Owner

__all__ = ["OWNERS"]

OWNERS: Final[Kind[OwnerCommand, Owner, OwnerEvent]] = Kind(
    name="owner", decider=OWNER, codec=CODEC, command_decoder=COMMANDS, command_of=command_of, home=Home.MEMORY
)
