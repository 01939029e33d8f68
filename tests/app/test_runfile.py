"""The run file tells what runs now, and nothing once it does not."""

import os
import stat
from pathlib import Path

import msgspec
import pytest

from clawactors.app.datafolder import DataFolder
from clawactors.app.runfile import NAME, Pids, Run, read_run, remove_run, write_run


def run(pid: int) -> Run:
    return Run(
        pid=pid,
        nats_url="nats://claw:secret@127.0.0.1:15000",
        sys_url="nats://sys:secret@127.0.0.1:15000",
        started_at="2026-05-01T09:00:00+00:00",
        version="0.1.0",
        pids=Pids(server=2, control=3, memory=4, nodes={"n1": 5}),
    )


def test_what_was_written_is_read_by_its_owner_alone(tmp_path: Path) -> None:
    with DataFolder.claim(tmp_path) as folder:
        assert read_run(tmp_path) is None
        write_run(folder, run(os.getpid()))
        assert read_run(tmp_path) == run(os.getpid())
        assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600
        remove_run(folder)
        remove_run(folder)
        assert read_run(tmp_path) is None


def test_a_run_is_stale_when_nobody_holds_the_folder(tmp_path: Path) -> None:
    with DataFolder.claim(tmp_path) as folder:
        write_run(folder, run(os.getpid()))
    assert read_run(tmp_path) is None, "its process lives, but the folder is not held"


def test_the_run_before_this_one_is_stale(tmp_path: Path) -> None:
    with DataFolder.claim(tmp_path) as folder:
        write_run(folder, run(os.getpid() + 1))
        assert read_run(tmp_path) is None, "the folder is held by another process than the file names"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": "one"}'])
def test_a_damaged_run_file_is_no_run(tmp_path: Path, content: bytes) -> None:
    with DataFolder.claim(tmp_path):
        (tmp_path / NAME).write_bytes(content)
        assert read_run(tmp_path) is None


def test_a_newer_release_may_say_more(tmp_path: Path) -> None:
    with DataFolder.claim(tmp_path):
        said = {**msgspec.to_builtins(run(os.getpid())), "more": 1}
        (tmp_path / NAME).write_bytes(msgspec.json.encode(said))
        assert read_run(tmp_path) == run(os.getpid())


def test_nothing_runs_where_there_is_no_folder(tmp_path: Path) -> None:
    assert read_run(tmp_path / "nowhere") is None


def test_every_process_that_runs_here_is_among_them() -> None:
    assert Pids(1, 2, 3, 4, 5, {"n1": 6, "n2": 7}).here == {1, 2, 3, 4, 5, 6, 7}
    assert Pids(control=2).here == {2}
