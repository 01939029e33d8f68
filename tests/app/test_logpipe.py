"""Logs of processes: rotated by size, begun anew where they were moved, complete at the end."""

import os
import subprocess
from pathlib import Path

import pytest

from clawactors.app import logpipe
from clawactors.app.logpipe import LOG_FILES, LogPipe


def test_files_rotate_by_size_and_nothing_is_lost_up_to_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logpipe, "LOG_BYTES", 100_000)
    path = tmp_path / "n1.log"
    log = LogPipe(path)
    lines = [f"{number:09}\n".encode() for number in range(60_000)]  # 600 KB
    for at in range(0, len(lines), 100):
        os.write(log.writes, b"".join(lines[at : at + 100]))
    log.drain()
    files = [path, *(tmp_path / f"n1.log.{number}" for number in range(1, LOG_FILES))]
    assert sorted(tmp_path.iterdir()) == files
    assert all(file.stat().st_size <= 100_000 for file in files)
    kept = b"".join(file.read_bytes() for file in reversed(files))
    assert b"".join(lines).endswith(kept)
    assert len(kept) > 200_000


@pytest.mark.parametrize("move", [Path.unlink, lambda path: path.rename(path.with_name("moved"))])
def test_a_log_that_was_moved_away_is_begun_anew(tmp_path: Path, move: object) -> None:
    path = tmp_path / "n1.log"
    log = LogPipe(path)
    os.write(log.writes, b"before\n")
    while path.stat().st_size == 0:
        pass
    move(path)  # type: ignore[operator]
    os.write(log.writes, b"after\n")
    log.drain()
    assert path.read_bytes() == b"after\n"


def test_programs_write_on_after_the_process_has_gone(tmp_path: Path) -> None:
    log = LogPipe(tmp_path / "n1.log")
    left = subprocess.Popen(
        ["/bin/sh", "-c", "read line; echo $line"], stdin=subprocess.PIPE, stderr=log.writes, stdout=log.writes
    )
    log.close_writes()
    left.communicate(b"last\n")
    log.drain()
    assert log.path.read_bytes() == b"last\n"
