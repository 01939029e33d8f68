"""What a backup says of itself: versions, the log it was made of, and each part with its size and checksum."""

from typing import Any, Final

import msgspec

from clawactors.app.archive import ArchiveSettings
from clawactors.app.upkeep.container import BackupUnfit, Part
from clawactors.eventlog.jetstream.stores.snapshots import StreamState

__all__ = ["FORMAT", "MANIFEST", "BackupManifest", "BackupStream", "ViewDigest", "read_manifest"]

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"


class BackupStream(Part, frozen=True, kw_only=True):
    """A stream in a backup: the file of its snapshot, and what that holds."""

    file: str
    state: StreamState
    config: dict[str, Any]
    described: dict[str, Any]


class ViewDigest(msgspec.Struct, frozen=True):
    """The digest of live views that stood at `position` when the backup began."""

    position: int
    digest: str


class BackupManifest(msgspec.Struct, frozen=True, kw_only=True):
    """`log` is the identity of the log, `schema` that of its streams; `made_at` is when the first stream was read.

    `files` are those of the archive, unless it is elsewhere: `archive` says where.
    """

    format: int = FORMAT
    product: str
    schema: int
    server: str
    log: str
    made_at: str
    streams: dict[str, BackupStream]
    files: dict[str, Part] = {}
    archive: ArchiveSettings = ArchiveSettings()
    digests: dict[str, ViewDigest] = {}

    @property
    def stream_rows(self) -> dict[str, dict[str, Any]]:
        """What reports say of each stream, by name."""
        return {
            name: {"messages": each.state.messages, "bytes": each.state.bytes, "sha256": each.sha256}
            for name, each in self.streams.items()
        }


def read_manifest(content: bytes, path: object) -> BackupManifest:
    """The manifest of the backup at `path`. Raises: `BackupUnfit`."""
    try:
        written_as = msgspec.json.decode(content)["format"]
        if written_as > FORMAT:
            raise BackupUnfit(f"the backup {path} has format {written_as}, this release knows {FORMAT}: update claw")
        return msgspec.json.decode(content, type=BackupManifest)
    except (msgspec.MsgspecError, KeyError, TypeError) as error:
        raise BackupUnfit(f"the backup {path} is damaged: its {MANIFEST} can't be read: {error}") from None
