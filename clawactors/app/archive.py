"""The archive of a data folder: where its files are kept, and after how long tasks move there.

`archive.toml` in the folder says so; without it files lie in `archive/` of the folder, and the setting `archive.after`
counts. See docs/operations.md.
"""

import json
import logging
import tomllib
from pathlib import Path
from typing import Any, Final

import msgspec

from clawactors.eventlog import EventLogError, Misconfigured
from clawactors.eventlog.archive.archive import Archive
from clawactors.eventlog.archive.folder import FolderStore
from clawactors.eventlog.archive.log import ArchivedLog
from clawactors.eventlog.archive.store import ArchiveStore
from clawactors.eventlog.sealing import SealedLog
from clawactors.kernel.time import duration_s
from clawactors.runtime.archiving import archived_in

__all__ = [
    "FOLDER",
    "ArchiveSettings",
    "archive_files",
    "archive_of",
    "archived_log",
    "read_archive_settings",
    "write_archive_settings",
]

FILE: Final = "archive.toml"
FOLDER: Final = "archive"
NEVER: Final = "never"

_log = logging.getLogger(__name__)


class ArchiveSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `archive.toml` says. `store` is a folder or `s3://bucket/prefix`; '' for the folder in the data folder."""

    archive_after: str = "30d"
    store: str = ""
    endpoint: str = ""
    region: str = ""

    @property
    def after_s(self) -> float:
        """Seconds from the end of a task to its move, 0 for never."""
        return 0.0 if self.archive_after == NEVER else duration_s(self.archive_after)


def read_archive_settings(data: Path) -> ArchiveSettings:
    """The settings of a data folder. Raises: `Misconfigured` for a file that can't be understood."""
    path = data / FILE
    try:
        settings = msgspec.convert(tomllib.loads(path.read_text("utf-8")), ArchiveSettings)
        if settings.archive_after != NEVER and settings.after_s < 1:
            raise ValueError(f"archive_after is {settings.archive_after!r}: give 1s or more, or 'never'")
    except FileNotFoundError:
        return ArchiveSettings()
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise Misconfigured(f"{path} can't be used: {error}") from error
    return settings


def write_archive_settings(data: Path, settings: ArchiveSettings) -> None:
    """Writes the settings of an archive whose files, unless they are in S3, lie in the data folder."""
    if not settings.store.startswith("s3://"):
        settings = ArchiveSettings(archive_after=settings.archive_after)
    default = ArchiveSettings()
    # Only what is given: what the file says hides the settings of the cluster.
    given = {
        name: value
        for name in settings.__struct_fields__
        if (value := getattr(settings, name)) != getattr(default, name)
    }
    if given:
        (data / FILE).write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in given.items()), "utf-8")


def archive_of(data: Path, settings: ArchiveSettings | None = None) -> Archive:
    """The archive of a data folder. Raises: `Misconfigured`."""
    settings = settings or read_archive_settings(data)
    return Archive(_store(data, settings))


def _store(data: Path, settings: ArchiveSettings) -> ArchiveStore:
    if not settings.store.startswith("s3://"):
        return FolderStore(data / (settings.store or FOLDER))
    from clawactors.eventlog.archive.s3 import S3Store

    bucket, _, prefix = settings.store.removeprefix("s3://").partition("/")
    return S3Store(bucket, prefix, endpoint=settings.endpoint, region=settings.region)


def archive_files(data: Path, settings: ArchiveSettings) -> list[Path]:
    """The whole files of an archive in a folder, by name; none where it is in another store."""
    store = _store(data, settings)
    return [store.path / name for name in store.present()] if isinstance(store, FolderStore) else []


def archived_log(log: SealedLog, archive: Archive, *, goes_on: bool = False) -> ArchivedLog:
    """The log with its archive. `goes_on`: what is damaged or missing in the archive is logged, and reading goes on."""

    def report(error: EventLogError) -> None:
        _log.error("%s", error)

    options: dict[str, Any] = {"damaged": report} if goes_on else {}
    return ArchivedLog(log, archive, archived_in, **options)
