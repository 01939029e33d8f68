"""The file of a backup is whole or not there, and no damage of it goes unseen."""

import contextlib
import errno
import os
import random
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clawactors.app.upkeep import container
from clawactors.app.upkeep.container import SUMS, BackupReader, BackupUnfit, BackupWriter, sweep_parts
from clawactors.eventlog import Misconfigured

CONTENT = {"a/stream": random.Random(1).randbytes(3000), "b": b"", "c.json": b"{}" * 256}


def written(path: Path) -> Path:
    with BackupWriter(path) as writer:
        for name, content in CONTENT.items():
            writer.begin(name)
            for start in range(0, len(content), 1000):
                writer.write(content[start : start + 1000])
            writer.end()
        writer.finish()
    return path


def read(path: Path) -> dict[str, bytes]:
    with BackupReader(path) as reader:
        reader.verify()
        return {name: reader.read(name) for name in CONTENT}


def refusal(path: Path) -> str:
    """What is said of a damaged file; "" where it gives what was written."""
    try:
        content = read(path)
    except BackupUnfit as error:
        return str(error)
    assert content == CONTENT
    return ""


def test_what_was_written_is_read_and_tar_knows_it(tmp_path: Path) -> None:
    path = written(tmp_path / "one.tar")
    assert read(path) == CONTENT
    subprocess.run(["/usr/bin/env", "tar", "xf", path], cwd=tmp_path, check=True)
    assert (tmp_path / "a" / "stream").read_bytes() == CONTENT["a/stream"]
    if sys.platform == "linux":
        subprocess.run(["/usr/bin/env", "sha256sum", "--quiet", "-c", SUMS], cwd=tmp_path, check=True)
    assert path.stat().st_mode & 0o77 == 0, "only its owner reads it"


def test_a_changed_byte_is_told_wherever_it_matters(tmp_path: Path) -> None:
    """Padding and the fields of a header that nobody reads carry nothing: there the content must be what it was."""
    whole = written(tmp_path / "one.tar").read_bytes()
    broken = tmp_path / "broken.tar"
    unseen = 0
    for place in [*range(0, len(whole), 37), *range(512, 560)]:
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        broken.write_bytes(changed)
        said = refusal(broken)
        assert not said or (str(broken) in said and "\n" not in said), place
        unseen += not said
    assert unseen < len(whole) / 37 / 2 + 24


def test_a_file_that_is_cut_short_is_told_at_every_length(tmp_path: Path) -> None:
    whole = written(tmp_path / "one.tar").read_bytes()
    cut = tmp_path / "cut.tar"
    with BackupReader(tmp_path / "one.tar") as reader:
        needed = max(begins + size for begins, size in reader._members.values())
    for length in [*range(0, needed, 97), needed - 1]:
        cut.write_bytes(whole[:length])
        with pytest.raises(BackupUnfit, match=r"cut short|not whole|not a backup"):
            read(cut)


@pytest.mark.parametrize("content", [b"", b"hello\n" * 1000, bytes(4096)])
def test_what_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.tar"
    path.write_bytes(content)
    with pytest.raises(BackupUnfit, match=r"not a backup|not whole"):
        read(path)


class _PowerCut(BaseException):
    pass


@contextlib.contextmanager
def cut_at(number: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The process is gone at the n-th call of the system that changes a file."""
    calls = [0]

    def counted(real: object) -> object:
        def call(*arguments: object, **more: object) -> object:
            calls[0] += 1
            if calls[0] == number:
                raise _PowerCut
            return real(*arguments, **more)  # type: ignore[operator]

        return call

    with monkeypatch.context() as patch:
        for name in ("write", "pwrite", "fsync"):
            patch.setattr(os, name, counted(getattr(os, name)))
        patch.setattr(Path, "rename", counted(Path.rename))
        patch.setattr(BackupWriter, "__exit__", lambda self, *_: os.close(self._file))  # nothing cleans up
        yield calls


def test_a_crash_at_any_point_leaves_the_old_file_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, number = tmp_path / "one.tar", 0
    while True:
        number += 1
        path.write_bytes(b"the old one")
        try:
            with cut_at(number, monkeypatch):
                written(path)
            break
        except _PowerCut:
            assert path.read_bytes() == b"the old one" or read(path) == CONTENT
            sweep_parts(tmp_path)
            assert list(tmp_path.iterdir()) == [path], "what was left behind is gone with the next run"
    assert number > 15
    assert read(path) == CONTENT


def test_what_another_process_writes_now_is_not_swept(tmp_path: Path) -> None:
    with BackupWriter(tmp_path / "one.tar") as writer:
        writer.add("a", b"1")
        sweep_parts(tmp_path)
        writer.finish()
    assert (tmp_path / "one.tar").exists()


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    """The limit on the size of files stands in for a disk; the system tells both in the same way."""
    script = f"""
import resource, signal
from pathlib import Path
from clawactors.app.upkeep.container import BackupWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    with BackupWriter(Path({str(tmp_path / "one.tar")!r})) as writer:
        writer.begin("a")
        for _ in range(1000): writer.write(bytes(1000))
except Exception as error:
    print(type(error).__name__, error)
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.startswith("Misconfigured can't write the backup")
    assert "the disk is full after 0 MB: free some space" in said
    assert list(tmp_path.iterdir()) == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 100_000


def test_the_space_that_the_cluster_needs_is_left_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "_SYNC_BYTES", 1000)
    with pytest.raises(Misconfigured, match="the cluster needs"), BackupWriter(tmp_path / "one.tar", 1 << 60) as writer:
        writer.add("a", bytes(2000))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_may_not_be_written_to_is_told(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=os.strerror(errno.ENOENT)), BackupWriter(tmp_path / "no" / "one.tar"):
        pass
