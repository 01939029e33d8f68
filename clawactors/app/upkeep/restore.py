"""Makes a cluster of a backup: on an empty server, or in an empty data folder.

1. A stream that is there is never written to: one of a running cluster, or of another one, refuses the restore.
2. The log is restored first, and marked with its backup until all streams are there. No control process uses a marked
   log; a second run of the same restore removes it with what is beside it, and begins again.
3. The restored log has an identity of its own: views and timers of the old one are never taken for its own.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from clawactors.app.archive import FOLDER as ARCHIVE
from clawactors.app.archive import write_archive_settings
from clawactors.app.upkeep.backup import verified
from clawactors.app.upkeep.container import BackupReader, BackupUnfit
from clawactors.app.upkeep.manifest import BackupManifest, BackupStream, ViewDigest
from clawactors.eventlog import EventLog, Misconfigured
from clawactors.eventlog.jetstream import Connection
from clawactors.eventlog.jetstream.log.provision import RESTORING
from clawactors.eventlog.jetstream.log.streams import CREATED, EVENTS, SCHEMA
from clawactors.eventlog.jetstream.stores.restores import remove, restore, set_metadata
from clawactors.eventlog.jetstream.stores.snapshots import StreamInfo, StreamState, stored_streams
from clawactors.projections.engine.replay import replay
from clawactors.projections.engine.revisions import Revisions
from clawactors.projections.engine.view import Projection

__all__ = ["ViewProof", "build_views", "checked_backup", "restore_archive", "restore_streams"]

_PLAIN: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_SERVERS_OWN: Final = "_nats."
_OF_ONE_SERVER: Final = ("persist_mode",)


class ViewProof(msgspec.Struct, frozen=True):
    """Views that were built of the restored log. `equal` is None where the backup has no digest to compare with."""

    events: int
    position: int
    digest: str
    equal: bool | None


def checked_backup(reader: BackupReader, progress: Callable[[int], None] = lambda done: None) -> BackupManifest:
    """The manifest of a backup that is whole, and that this release can restore. Raises: `BackupUnfit`."""
    manifest = verified(reader, progress)
    if manifest.schema > SCHEMA:
        raise BackupUnfit(
            f"the backup {reader.path} has schema {manifest.schema}, this release knows {SCHEMA}: update claw"
        )
    if EVENTS not in manifest.streams:
        raise BackupUnfit(f"the backup {reader.path} has no stream {EVENTS}")
    return manifest


async def restore_streams(
    connection: Connection,
    reader: BackupReader,
    manifest: BackupManifest,
    progress: Callable[[int], None] = lambda done: None,
) -> None:
    """Restores all streams of the backup. Order: repeatable, what an interrupted run left is made anew.

    Raises: `Misconfigured` (there are streams of a cluster, no room, an older server), `Unavailable`.
    """
    _refuse_older(connection, manifest)
    await _clear(connection, await stored_streams(connection), manifest)
    before, made = 0, dict[str, str]()
    # The log comes first: from then on no control process makes streams here.
    for name in sorted(manifest.streams, key=lambda name: (name != EVENTS, name)):
        stream = manifest.streams[name]
        config = _config(stream, clustered=connection.is_clustered, mark=_mark(manifest))

        async def chunks(stream: BackupStream = stream, done: int = before) -> AsyncIterator[bytes]:
            for chunk in reader.chunks(stream.file):
                yield chunk
                done += len(chunk)
                progress(done)

        restored = await restore(connection, config, stream.described, chunks)
        before += stream.size_bytes
        if _content(restored.state) != _content(stream.state):
            raise BackupUnfit(
                f"the backup {reader.path} is damaged: {name} has {restored.state.messages} messages up to "
                f"{restored.state.last_seq}, not {stream.state.messages} up to {stream.state.last_seq}"
            )
        made[name] = restored.created
    for name, created in made.items():
        if name != EVENTS:
            await set_metadata(connection, name, {CREATED: created}, without=RESTORING)
    await set_metadata(connection, EVENTS, {"claw.restored": manifest.log, CREATED: made[EVENTS]}, without=RESTORING)


def _content(state: StreamState) -> tuple[int, int, int]:
    """What two equal streams have in common; where there are no messages the server knows no first one."""
    return state.messages, state.first_seq if state.messages else 0, state.last_seq


def _refuse_older(connection: Connection, manifest: BackupManifest) -> None:
    made_by = tuple(map(int, manifest.server.split(".")))
    if connection.version[:2] < made_by[:2]:
        raise Misconfigured(
            f"the backup was made of nats-server {manifest.server}, this is "
            f"{'.'.join(map(str, connection.version))}: install that release or a newer one"
        )


async def _clear(connection: Connection, streams: list[StreamInfo], manifest: BackupManifest) -> None:
    """Removes what an interrupted restore of this backup left. Raises: `Misconfigured` for any other stream."""
    there = {each.name: each for each in streams if each.name in manifest.streams or each.name.startswith("CLAW_")}
    if not there:
        return
    marked = EVENTS in there and (there[EVENTS].config.get("metadata") or {}).get(RESTORING) == _mark(manifest)
    if not marked:
        raise Misconfigured(
            f"the server has a stream {min(there)} already: a backup is restored to an empty server or account, "
            "never over a cluster"
        )
    for name in sorted(there, key=lambda name: (name == EVENTS, name)):
        await remove(connection, name)


def _mark(manifest: BackupManifest) -> str:
    return f"{manifest.log} {manifest.made_at}"


def _config(stream: BackupStream, *, clustered: bool, mark: str) -> dict[str, Any]:
    """The configuration that the stream gets here: of a cluster or a single server, and with the mark of the log."""
    kept = dict(stream.config)
    kept.pop("placement", None)
    if clustered:
        for name in _OF_ONE_SERVER:
            kept.pop(name, None)
    metadata = {name: each for name, each in (kept.get("metadata") or {}).items() if not name.startswith(_SERVERS_OWN)}
    if kept["name"] == EVENTS:
        metadata[RESTORING] = mark
    return kept | {"num_replicas": 3 if clustered else 1, "metadata": metadata}


def restore_archive(reader: BackupReader, manifest: BackupManifest, data: Path) -> None:
    """Writes the files of the archive to its usual place in a data folder, and the settings that go with it."""
    for name in manifest.files:
        top, _, rest = name.partition("/")
        if top != ARCHIVE or not _PLAIN.fullmatch(rest):
            raise BackupUnfit(f"the backup {reader.path} has a file {name} that has no place here: update claw")
        path = data / ARCHIVE / rest
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with path.open("wb") as file:
            for chunk in reader.chunks(name):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    write_archive_settings(data, manifest.archive)


async def build_views(
    log: EventLog,
    folder: Path,
    projection: Projection,
    expected: ViewDigest | None,
    progress: Callable[[int, int], None],
) -> ViewProof:
    """Builds the views of a restored log as the live ones, and compares them with what they were before."""
    revisions = Revisions(folder, projection.name)
    path = revisions.begun()
    equal: bool | None = None
    if expected is not None:
        then = await replay(log, path, projection, until=expected.position, progress=progress)
        equal = then.digest == expected.digest and not then.incomplete
    now = await replay(log, path, projection, progress=progress)
    await asyncio.to_thread(revisions.switch, path)
    return ViewProof(events=now.events, position=now.position, digest=now.digest, equal=equal)
