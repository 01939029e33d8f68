"""The kind of backups."""

from typing import Final

from clawactors.kernel.kind import Kind
from clawactors.systems.backups.commands import BackupCommand
from clawactors.systems.backups.decider import BACKUP, Backups
from clawactors.systems.backups.events import CODEC, BackupEvent
from clawactors.systems.backups.external import COMMANDS, command_of

__all__ = ["BACKUPS"]

BACKUPS: Final[Kind[BackupCommand, Backups, BackupEvent]] = Kind(
    name="backup",
    decider=BACKUP,
    codec=CODEC,
    command_decoder=COMMANDS,
    command_of=command_of,
    administers=True,
)
