"""Revisions: one pointer, switched at once; the old folder goes when nobody reads it."""

import subprocess
import sys
from pathlib import Path

import pytest

from clawactors.projections.engine.revisions import Revisions
from clawactors.projections.engine.store import Store


def made(path: Path) -> Path:
    Store.open(path, ()).close()
    return path


def test_the_first_is_begun_switched_to_and_followed_by_the_next(tmp_path: Path) -> None:
    revisions = Revisions(tmp_path, "v")
    assert revisions.live() is None
    first = made(revisions.begun())
    assert revisions.begun() == first
    assert revisions.live() is None
    revisions.switch(first)
    assert revisions.live() == first
    second = made(revisions.begun())
    assert second != first
    revisions.switch(second)
    revisions.sweep()
    assert revisions.live() == second
    assert revisions.numbers() == [2]


@pytest.mark.parametrize("pointer", [b"", b"x", b"-1", b"7", b"\xff\xff", b"9" * 5000])
def test_a_pointer_that_names_nothing_is_no_pointer(tmp_path: Path, pointer: bytes) -> None:
    revisions = Revisions(tmp_path, "v")
    first = made(revisions.begun())
    (tmp_path / "v.live").write_bytes(pointer)
    assert revisions.live() is None
    assert revisions.begun() == first


def test_what_lies_about_is_left_alone(tmp_path: Path) -> None:
    revisions = Revisions(tmp_path, "v")
    for name in ("v@x", "w@1", "v@", "note"):
        (tmp_path / name).mkdir()
    made(revisions.begun())
    revisions.switch(made(revisions.begun()))
    revisions.sweep()
    assert {path.name for path in tmp_path.iterdir()} == {"v@x", "w@1", "v@", "note", "v@1", "v.live"}


def test_an_old_revision_stays_while_another_process_reads_it(tmp_path: Path) -> None:
    revisions = Revisions(tmp_path, "v")
    first = made(revisions.begun())
    revisions.switch(first)
    code = (
        "from pathlib import Path; from clawactors.projections.engine.store import Store\n"
        f"store = Store.open(Path({str(first)!r}), (), readonly=True)\n"
        "with store.snapshot(): print('reading', flush=True); input()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == b"reading\n"
            revisions.switch(made(revisions.begun()))
            revisions.sweep()
            assert first.exists()
        finally:
            child.kill()
    revisions.sweep()
    assert not first.exists()
