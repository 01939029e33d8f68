"""Restores a backup into an empty data folder, and tells where the live views of a folder stand."""

import asyncio
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from clawactors.app.archive import FOLDER as ARCHIVE
from clawactors.app.archive import archive_of, archived_log
from clawactors.app.datafolder import RESERVE_BYTES, RESTORING, DataFolder, explained
from clawactors.app.logmark import NAME as LOG_MARK
from clawactors.app.projections import projections
from clawactors.app.server import NatsServer
from clawactors.app.upkeep.container import BackupReader
from clawactors.app.upkeep.manifest import BackupManifest, ViewDigest
from clawactors.app.upkeep.restore import ViewProof, build_views, restore_archive, restore_streams
from clawactors.eventlog import EventLogError, Misconfigured
from clawactors.eventlog.jetstream import Connection, JetStreamLog
from clawactors.kinds import KINDS
from clawactors.projections.engine import durable
from clawactors.projections.engine.digest import store_digest
from clawactors.projections.engine.revisions import Revisions
from clawactors.projections.live import live_store

__all__ = ["VIEWS", "RestoreProgress", "digests_in", "restore_into"]

VIEWS: Final = {"cluster": "views", "memory": "memory"}
"""Where a data folder has the live store of a projection."""

_log = logging.getLogger(__name__)


type RestoreProgress = Callable[[str, int, int], None]
"""Is told the step, and how much of how much of it is done."""


def digests_in(folder: Path) -> dict[str, ViewDigest]:
    """Where the live views in a data folder stand; without those that can't be read now."""
    found: dict[str, ViewDigest] = {}
    if not any(Revisions(folder / place, name).live() for name, place in VIEWS.items()):
        return found
    for projection in projections():
        try:
            store = live_store(folder / VIEWS[projection.name], projection)
            try:
                digest = store_digest(store, projection)
            finally:
                store.close()
        except EventLogError as error:
            _log.warning("the backup has no digest of the %s views: %s", projection.name, error)
        else:
            found[projection.name] = ViewDigest(digest.position, digest.digest)
    return found


async def restore_into(
    path: Path, reader: BackupReader, manifest: BackupManifest, progress: RestoreProgress
) -> dict[str, ViewProof]:
    """Restores the backup into an empty data folder and builds its views; `claw up` goes on from there.

    An interrupted run leaves a folder that nothing but a second run takes, which begins again.
    Raises: `InUse`, `Misconfigured` (not empty, no room), `Unavailable`.
    """
    with DataFolder.claim(path, restoring=True) as folder:
        with explained(path):
            _begin(path)
        _check_room(folder, manifest)
        server = NatsServer(folder)
        try:
            await server.start()
            async with await Connection.open(server.access.address(), "claw-restore") as connection:
                total = sum(stream.size_bytes for stream in manifest.streams.values())
                await restore_streams(
                    connection, reader, manifest, lambda done: progress("restoring streams", done >> 20, total >> 20)
                )
            with explained(path):
                await asyncio.to_thread(restore_archive, reader, manifest, path)
            async with await JetStreamLog.connect(server.access.address(), "claw-restore", kinds=KINDS.names) as stream:
                log = archived_log(stream, archive_of(path))
                proofs = {
                    projection.name: await build_views(
                        log,
                        path / VIEWS[projection.name],
                        projection,
                        manifest.digests.get(projection.name),
                        lambda position, end: progress("building views", position, end),
                    )
                    for projection in projections()
                }
        finally:
            await server.stop()
        with explained(path):
            (path / RESTORING).unlink()
            durable.sync(path)
        return proofs


def _begin(path: Path) -> None:
    """Marks the folder as one that is being restored, and removes what an interrupted restore left in it."""
    mark, parts = path / RESTORING, [path / name for name in ("server", *VIEWS.values(), ARCHIVE)]
    if not mark.exists():
        if there := [part.name for part in parts if part.exists()]:
            raise Misconfigured(
                f"data folder {path} holds {there[0]}/ of a cluster: a backup is restored into an empty folder, "
                "name a new one with --data"
            )
        durable.replace(mark, b"")
    for part in parts:
        if part.exists():
            shutil.rmtree(part)
    (path / LOG_MARK).unlink(missing_ok=True)  # it says how far another log had come


def _check_room(folder: DataFolder, manifest: BackupManifest) -> None:
    """Raises: `Misconfigured` where the streams would not fit."""
    needed = sum(stream.state.bytes for stream in manifest.streams.values())
    if (free := folder.check_space()) < needed:
        raise Misconfigured(
            f"restoring needs {needed >> 20} MB in {folder.path}, {free >> 20} MB are free beside the "
            f"{RESERVE_BYTES >> 20} MB that stay free: free some space, or name a folder on another disk with --data"
        )
