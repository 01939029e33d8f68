"""Commands about backups as other programs write them."""

from typing import Any, Final, assert_never

import msgspec

from clawactors.kernel.external import ExternalCommand
from clawactors.systems.backups import commands as c
from clawactors.systems.backups.events import BackupPlan
from clawactors.systems.tasks.events import Count

__all__ = ["COMMANDS", "NoteBackupRequest", "PlanBackupsRequest", "StopBackupsRequest", "command_of"]


class PlanBackupsRequest(ExternalCommand, frozen=True, kw_only=True, tag="backup.plan"):
    """Make backups as the plan says."""

    plan: BackupPlan


class StopBackupsRequest(ExternalCommand, frozen=True, tag="backup.stop"):
    """Make none by itself any longer."""


class NoteBackupRequest(ExternalCommand, frozen=True, kw_only=True, tag="backup.note"):
    """Somebody has made a backup."""

    file: str
    size_bytes: Count
    last_seq: Count
    seconds: float = 0.0


type _Any = PlanBackupsRequest | StopBackupsRequest | NoteBackupRequest

COMMANDS: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(_Any.__value__)
"""What other programs may ask."""


def command_of(command: _Any, by: str, _at_ns: int) -> c.BackupCommand:
    """The command that another program asks for, `by` unless it says who asks."""
    by = command.by or by
    match command:
        case PlanBackupsRequest(plan=plan):
            return c.PlanBackups(plan, by)
        case StopBackupsRequest():
            return c.StopBackups(by)
        case NoteBackupRequest(file=file, size_bytes=size_bytes, last_seq=last_seq, seconds=seconds):
            return c.NoteBackup(file=file, size_bytes=size_bytes, last_seq=last_seq, seconds=seconds, by=by)
        case _:
            assert_never(command)
