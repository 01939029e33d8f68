"""The kind of identities."""

from typing import Final

from clawactors.kernel.kind import Kind
from clawactors.systems.identities.commands import IdentityCommand
from clawactors.systems.identities.decider import IDENTITY, Identity
from clawactors.systems.identities.events import CODEC, IdentityEvent
from clawactors.systems.identities.external import COMMANDS, command_of

__all__ = ["IDENTITIES"]

IDENTITIES: Final[Kind[IdentityCommand, Identity, IdentityEvent]] = Kind(
    name="identity",
    decider=IDENTITY,
    codec=CODEC,
    command_decoder=COMMANDS,
    command_of=command_of,
    administers=True,
)
