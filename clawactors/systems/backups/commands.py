"""What can be asked about backups."""

import msgspec

from clawactors.systems.backups.events import BackupPlan

__all__ = ["BackupCommand", "NoteBackup", "NoteFailedBackup", "PlanBackups", "StopBackups"]


class PlanBackups(msgspec.Struct, frozen=True):
    """Make one again and again, as the plan says; `of_settings` if the settings of the cluster say it."""

    plan: BackupPlan
    by: str = ""
    of_settings: bool = False


class StopBackups(msgspec.Struct, frozen=True):
    """Make none by itself any longer; `of_settings`: end only the plan of the settings, they have none now."""

    by: str = ""
    of_settings: bool = False


class NoteBackup(msgspec.Struct, frozen=True, kw_only=True):
    """A backup was made; `planned` if by the plan."""

    file: str
    size_bytes: int
    last_seq: int
    seconds: float
    planned: bool = False
    by: str = ""


class NoteFailedBackup(msgspec.Struct, frozen=True):
    """A backup of the plan was not made."""

    reason: str


type BackupCommand = PlanBackups | StopBackups | NoteBackup | NoteFailedBackup
"""What `decide` takes."""
