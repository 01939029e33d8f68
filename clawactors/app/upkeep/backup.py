"""Makes a backup of a running cluster.

The order of the streams is what makes it consistent. The queue of commands comes first: a command that is carried out
meanwhile is in both or in the log, never in neither. Then the log; then all that records refer to, which was stored
before them. Timers and leases are left out: control derives the ones from the log, and nobody holds the others.
"""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from clawactors.app.archive import FOLDER as ARCHIVE
from clawactors.app.archive import ArchiveSettings, archive_files, read_archive_settings
from clawactors.app.datafolder import RESERVE_BYTES
from clawactors.app.upkeep.container import BackupReader, BackupWriter, Part, sweep_parts
from clawactors.app.upkeep.manifest import MANIFEST, BackupManifest, BackupStream, ViewDigest, read_manifest
from clawactors.eventlog import NoSuchLog
from clawactors.eventlog.jetstream import Connection
from clawactors.eventlog.jetstream.log.streams import EVENTS, SCHEMA
from clawactors.eventlog.jetstream.stores.snapshots import StreamInfo, snapshot, stored_streams
from clawactors.version import VERSION

__all__ = ["Backup", "backup_files", "log_identity", "make_backup", "newest", "prune", "target_of", "verified"]

_FIRST: Final = ("CLAW_COMMANDS", EVENTS)
_DERIVED: Final = "CLAW_TIMERS"
_OURS: Final = ("CLAW_", "KV_claw-", "OBJ_claw-")
_SUFFIX: Final = ".tar"
_READ_BYTES: Final = 1 << 20

type Digests = Callable[[], Mapping[str, ViewDigest]]


class Backup(msgspec.Struct, frozen=True):
    """A backup that was made."""

    path: Path
    size_bytes: int
    seconds: float
    manifest: BackupManifest

    @property
    def row(self) -> dict[str, Any]:
        """As `claw backup --json` prints it."""
        return {
            "ok": True,
            "file": str(self.path),
            "bytes": self.size_bytes,
            "seconds": round(self.seconds, 3),
            "last_seq": self.manifest.streams[EVENTS].state.last_seq,
            "streams": self.manifest.stream_rows,
        }


def target_of(path: Path, log: str) -> Path:
    """The file to write: `path` where it names a tar file, else a new file in the folder `path`."""
    path = path.expanduser().absolute()
    if path.suffix == _SUFFIX and not path.is_dir():
        return path
    return path / f"claw-{_short(log)}-{datetime.now(UTC):%Y%m%dT%H%M%S}Z{_SUFFIX}"


def backup_files(folder: Path, log: str = "*") -> list[Path]:
    """The backups in a folder that have the name which they get there, oldest first; of one log, or of all."""
    found = folder.glob(f"claw-{log if log == '*' else _short(log)}-*Z{_SUFFIX}")
    return sorted(found, key=lambda path: (path.name.rpartition("-")[2], path.name))


def newest(folder: Path) -> Path | None:
    """The newest backup in a folder."""
    return max(backup_files(folder), key=lambda path: path.name.rpartition("-")[2], default=None)


def prune(folder: Path, log: str, keep: int) -> list[Path]:
    """Removes the oldest backups of this log from the folder, all but `keep`; returns the removed."""
    old = backup_files(folder, log)[:-keep] if keep else []
    for path in old:
        path.unlink(missing_ok=True)
    return old


def _short(log: str) -> str:
    return hashlib.blake2b(log.encode(), digest_size=4).hexdigest()


async def make_backup(
    connection: Connection,
    path: Path,
    *,
    digests: Digests,
    data: Path | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Backup:
    """Writes a backup of all streams and, with the data folder of the cluster, of the files of its archive.

    `path` is a tar file or a folder; the folder is made. `digests` tells where the live views stand. Where the data
    folder is on the same disk, the backup leaves the cluster the space that it needs.
    Raises: `NoSuchLog`, `Misconfigured` (disk full, stream damaged), `Unavailable`; then there is no file.
    """
    began, made_at = time.monotonic(), datetime.now(UTC).isoformat(timespec="milliseconds")
    # Before the log is read: what the views hold is then in the backup.
    proofs = await asyncio.to_thread(digests)
    streams = _chosen(await stored_streams(connection))
    log = log_identity(streams)
    target = target_of(path, log)
    with contextlib.suppress(OSError):  # the writer says what is wrong
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    sweep_parts(target.parent)
    with BackupWriter(target, _least_free(target, data)) as writer:
        taken: dict[str, BackupStream] = {}
        for stream in streams:
            taken[stream.name] = await _copy_stream(connection, stream.name, writer, progress)
        settings = ArchiveSettings() if data is None else read_archive_settings(data)
        files: dict[str, Part] = {}
        for file in [] if data is None else await asyncio.to_thread(archive_files, data, settings):
            name = f"{ARCHIVE}/{file.name}"
            with contextlib.suppress(FileNotFoundError):  # it was replaced meanwhile
                files[name] = await asyncio.to_thread(_copy_file, file, name, writer)
        manifest = BackupManifest(
            product=VERSION,
            schema=SCHEMA,
            server=".".join(map(str, connection.version)),
            log=log,
            made_at=made_at,
            streams=taken,
            files=files,
            archive=settings,
            digests={name: each for name, each in proofs.items() if each.position <= taken[EVENTS].state.last_seq},
        )
        writer.add(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
        await asyncio.to_thread(writer.finish)
        return Backup(target, writer.size_bytes, time.monotonic() - began, manifest)


def log_identity(streams: Iterable[StreamInfo]) -> str:
    """The identity of the log among these streams. Raises: `NoSuchLog`."""
    for stream in streams:
        if stream.name == EVENTS:
            return stream.identity
    raise NoSuchLog(f"this account of the server has no stream {EVENTS}")


def _chosen(streams: Iterable[StreamInfo]) -> list[StreamInfo]:
    kept = (
        each
        for each in streams
        if each.name.startswith(_OURS) and each.name != _DERIVED and each.config.get("storage") == "file"
    )
    return sorted(kept, key=lambda each: (_FIRST.index(each.name) if each.name in _FIRST else len(_FIRST), each.name))


def _least_free(target: Path, beside: Path | None) -> int:
    """Bytes to leave free: what the store of a cluster needs, where that is on the same disk."""
    try:
        shared = beside is not None and beside.stat().st_dev == target.parent.stat().st_dev
    except OSError:
        return 0
    return RESERVE_BYTES if shared else 0


async def _copy_stream(
    connection: Connection, name: str, writer: BackupWriter, progress: Callable[[int], None]
) -> BackupStream:
    file = f"{name}/stream.tar.s2"
    async with snapshot(connection, name) as taken:
        writer.begin(file)
        async for chunk in taken:
            await asyncio.to_thread(writer.write, chunk)
            progress(writer.size_bytes)
        part = writer.end()
        # As the nats CLI writes it: `nats stream restore FOLDER` takes the folder of a stream as it is.
        described = {"config": taken.config, "state": taken.described}
        writer.add(f"{name}/backup.json", msgspec.json.encode(described))
        return BackupStream(
            file=file,
            size_bytes=part.size_bytes,
            sha256=part.sha256,
            state=taken.state,
            config=taken.config,
            described=taken.described,
        )


def _copy_file(path: Path, name: str, writer: BackupWriter) -> Part:
    with path.open("rb") as file:
        writer.begin(name)
        while chunk := file.read(_READ_BYTES):
            writer.write(chunk)
    return writer.end()


def verified(reader: BackupReader, progress: Callable[[int], None] = lambda done: None) -> BackupManifest:
    """The manifest of a complete backup whose checksums are right. Raises: `BackupUnfit`."""
    reader.verify(progress)
    return read_manifest(reader.read(MANIFEST), reader.path)
