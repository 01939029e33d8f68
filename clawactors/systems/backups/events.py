"""What happened to backups. Tags are promises (see `clawactors.eventlog.codec`)."""

import msgspec

from clawactors.eventlog import Codec
from clawactors.systems.tasks.events import Count

__all__ = ["CODEC", "BackupEvent", "BackupFailed", "BackupMade", "BackupPlan", "BackupsPlanned", "BackupsStopped"]


class BackupPlan(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One every `every_s` seconds in `folder`, where the newest `copies` stay."""

    folder: str
    every_s: float
    copies: Count = 7


class BackupsPlanned(BackupPlan, frozen=True, omit_defaults=True, kw_only=True, tag="backup.planned"):
    """Backups are made as the plan says; `of_settings`: as the settings of the cluster say."""

    by: str = ""
    of_settings: bool = False


class BackupsStopped(msgspec.Struct, frozen=True, omit_defaults=True, tag="backup.stopped"):
    """Backups are made only when somebody asks for one; `of_settings`: the settings of the cluster plan none now."""

    by: str = ""
    of_settings: bool = False


class BackupMade(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag="backup.made"):
    """A backup is whole; it holds the log up to `last_seq`."""

    file: str
    size_bytes: Count
    last_seq: Count
    seconds: float = 0.0
    planned: bool = False
    by: str = ""


class BackupFailed(msgspec.Struct, frozen=True, omit_defaults=True, tag="backup.failed"):
    """A backup of the plan was not made."""

    reason: str


type BackupEvent = BackupsPlanned | BackupsStopped | BackupMade | BackupFailed

CODEC: Codec[BackupEvent] = Codec(BackupEvent.__value__)
