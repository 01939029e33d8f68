"""What a backup is restored into: an empty data folder, or one that an interrupted restore left."""

from pathlib import Path

import msgspec
import pytest

from clawactors.app.archive import ArchiveSettings, archive_files, read_archive_settings
from clawactors.app.datafolder import RESTORING, DataFolder, InUse
from clawactors.app.upkeep.container import BackupReader, BackupWriter
from clawactors.app.upkeep.folder import restore_into
from clawactors.app.upkeep.manifest import BackupManifest, BackupStream
from clawactors.app.upkeep.restore import restore_archive
from clawactors.eventlog import Misconfigured
from clawactors.eventlog.jetstream.stores.snapshots import StreamState

HUGE = BackupStream(
    file="x", size_bytes=0, sha256="", config={}, described={}, state=StreamState(1, 1 << 60, first_seq=1, last_seq=1)
)


def manifest(**streams: BackupStream) -> BackupManifest:
    return BackupManifest(product="1", schema=2, server="2.15.0", log="x", made_at="2026-01-01", streams=streams)


async def restored(path: Path, what: BackupManifest) -> None:
    file = path.parent / "one.tar"
    with BackupWriter(file) as writer:
        writer.finish()
    with BackupReader(file) as reader:
        await restore_into(path, reader, what, lambda step, done, total: None)


async def test_a_running_cluster_is_never_written_over(tmp_path: Path) -> None:
    with DataFolder.claim(tmp_path / "data"), pytest.raises(InUse):
        await restored(tmp_path / "data", manifest())


@pytest.mark.parametrize("part", ["server", "views", "memory"])
async def test_a_folder_that_holds_a_cluster_stays_as_it_is(tmp_path: Path, part: str) -> None:
    DataFolder.claim(tmp_path / "data").release()
    kept = tmp_path / "data" / part / "kept"
    kept.parent.mkdir()
    kept.touch()
    with pytest.raises(Misconfigured, match="restored into an empty folder"):
        await restored(tmp_path / "data", manifest())
    assert kept.exists()
    DataFolder.claim(tmp_path / "data").release()


async def test_a_folder_in_which_a_restore_was_interrupted_takes_nothing_but_a_restore(tmp_path: Path) -> None:
    data = tmp_path / "data"
    DataFolder.claim(data).release()
    (data / "log.json").touch()
    with pytest.raises(Misconfigured, match="restoring needs"):
        await restored(data, manifest(CLAW_EVENTS=HUGE))
    assert (data / RESTORING).exists()
    assert not (data / "log.json").exists(), "the log that was here does not bind the one that comes"
    with pytest.raises(Misconfigured, match="run claw restore again"):
        DataFolder.claim(data)
    (data / "server").mkdir()
    (data / "server" / "half").touch()
    with pytest.raises(Misconfigured, match="restoring needs"):
        await restored(data, manifest(CLAW_EVENTS=HUGE))
    assert not (data / "server").exists(), "what was left is gone"


def test_files_of_the_archive_come_back_to_their_folder_and_to_no_other(tmp_path: Path) -> None:
    with BackupWriter(tmp_path / "one.tar") as writer:
        parts = {name: writer.add(name, name.encode()) for name in ("archive/a.zst", "archive/../c", "other/d")}
        writer.finish()
    data = tmp_path / "data"
    data.mkdir()
    with BackupReader(tmp_path / "one.tar") as reader:
        for name, part in parts.items():
            files = msgspec.structs.replace(
                manifest(), files={name: part}, archive=ArchiveSettings(archive_after="7d", store="/old/place")
            )
            if name == "archive/a.zst":
                restore_archive(reader, files, data)
            else:
                with pytest.raises(Misconfigured, match="no place here"):
                    restore_archive(reader, files, data)
    settings = read_archive_settings(data)
    assert settings == ArchiveSettings(archive_after="7d"), "its files are in this data folder now"
    assert [path.read_bytes() for path in archive_files(data, settings)] == [b"archive/a.zst"]
