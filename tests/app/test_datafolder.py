"""A data folder is claimed by one cluster, and refused in one line where it can't be used."""

import errno
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from clawactors.app.datafolder import RESERVE_BYTES, DataFolder, InUse, write_private
from clawactors.app.folderlock import holder
from clawactors.eventlog import Misconfigured
from clawactors.version import VERSION


def refused(path: Path) -> str:
    with pytest.raises(Misconfigured) as caught:
        DataFolder.claim(path)
    text = str(caught.value)
    assert "\n" not in text
    assert "--data" in text, "the line says the way out"
    return text


def test_a_new_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    with DataFolder.claim(tmp_path / "a" / "b") as folder:
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.path.iterdir()}
        assert modes == {"claw.json": 0o600, "lock": 0o600}
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


def test_a_second_claim_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    assert holder(tmp_path) is None
    with DataFolder.claim(tmp_path):
        assert holder(tmp_path) == os.getpid()
        assert f"in use by a running cluster (pid {os.getpid()}): stop it with claw down" in refused(tmp_path)
        with pytest.raises(InUse):
            DataFolder.claim(tmp_path)
    assert holder(tmp_path) is None
    with DataFolder.claim(tmp_path):
        pass


def test_a_killed_holder_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    script = f"""
from pathlib import Path
from clawactors.app.datafolder import DataFolder
folder = DataFolder.claim(Path({str(tmp_path)!r}))
print("claimed", flush=True)
input()
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "claimed\n"
            assert holder(tmp_path) == process.pid
            refused(tmp_path)
        finally:
            process.kill()
    assert holder(tmp_path) is None
    DataFolder.claim(tmp_path).release()


def test_a_reader_that_looks_does_not_keep_a_claim_out(tmp_path: Path) -> None:
    import fcntl

    DataFolder.claim(tmp_path).release()
    (tmp_path / "lock").write_text("0")  # no living holder is named, so the claim waits for the lock
    with (tmp_path / "lock").open() as reader:
        fcntl.flock(reader, fcntl.LOCK_SH)
        script = "import sys, time; from pathlib import Path; from clawactors.app.datafolder import DataFolder\n"
        script += f"print('here', flush=True); DataFolder.claim(Path({str(tmp_path)!r}))"
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as claimer:
            assert claimer.stdout is not None
            claimer.stdout.readline()
            fcntl.flock(reader, fcntl.LOCK_UN)
            assert claimer.wait(timeout=10) == 0


def test_a_foreign_folder_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    assert "holds 'thesis.tex' and is not a claw data folder" in refused(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_the_top_of_a_fresh_disk_is_not_foreign(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "memory.toml").touch()  # settings may be there before the first start
    DataFolder.claim(tmp_path).release()


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "a file is in the way" in refused(tmp_path / "file")
    assert "a file is in the way" in refused(tmp_path / "file" / "below")


def test_the_folder_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    (tmp_path / "claw.json").write_text('{"format": 2, "version": "9.1.0", "created_at": "2030-01-01", "more": []}')
    assert f"was written by claw 9.1.0, this is {VERSION}: update claw" in refused(tmp_path)


@pytest.mark.parametrize("content", ["", "{", '{"format": "one"}', "[]"])
def test_a_damaged_marker_is_not_overwritten(tmp_path: Path, content: str) -> None:
    (tmp_path / "claw.json").write_text(content)
    assert "claw.json is damaged" in refused(tmp_path)
    assert (tmp_path / "claw.json").read_text() == content


def test_the_release_that_wrote_last_is_noted(tmp_path: Path) -> None:
    (tmp_path / "claw.json").write_text('{"format": 1, "version": "0.0.1", "created_at": "2020-01-01"}')
    DataFolder.claim(tmp_path).release()
    assert f'"version":"{VERSION}","created_at":"2020-01-01"' in (tmp_path / "claw.json").read_text()


def test_a_store_is_not_given_to_an_older_server(tmp_path: Path) -> None:
    with DataFolder.claim(tmp_path) as folder:
        folder.admit_server((2, 15, 1))
        folder.admit_server((2, 15, 0))
    with (
        DataFolder.claim(tmp_path) as folder,
        pytest.raises(Misconfigured, match=r"served by nats-server 2\.15\.0, this"),
    ):
        folder.admit_server((2, 12, 9))


def test_too_little_space_is_said_in_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: shutil._ntuple_diskusage(1 << 40, 0, RESERVE_BYTES))
    assert "only 256 MB are free" in refused(tmp_path)
    assert holder(tmp_path) is None


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert "the disk is full" in refused(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["lock"], "nothing half-written is left"
    monkeypatch.undo()
    DataFolder.claim(tmp_path).release()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may look into, which pytest's own is not."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def test_a_folder_that_may_not_be_written_is_said(open_folder: Path) -> None:
    kept = open_folder / "kept"
    DataFolder.claim(kept).release()
    kept.chmod(0o555)
    for file in kept.iterdir():
        file.chmod(0o444)
    # The superuser may write everywhere, so the attempt is made as nobody.
    script = f"""
import os
from pathlib import Path
from clawactors.app.datafolder import DataFolder
if os.getuid() == 0:
    os.setuid(65534)
for path in ({str(kept)!r}, {str(open_folder / "new")!r}):
    try:
        DataFolder.claim(Path(path))
    except Exception as error:
        print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    if os.getuid() != 0:
        lines = lines[:1]  # the other one belongs to this user
    assert lines
    for line in lines:
        assert line.startswith("Misconfigured can't use data folder"), done
        assert "this user may not write there" in line


def test_a_private_file_is_replaced_at_once(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("old")
    file.chmod(0o644)
    write_private(file, b"new")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", 0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
