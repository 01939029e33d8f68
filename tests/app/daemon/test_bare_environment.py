"""A user without a home, and a machine without a place for temporary files."""

import os
import tempfile
from pathlib import Path

import pytest

from clawactors.app import settings
from clawactors.app.daemon.temporary import ensure_temporary
from clawactors.app.discovery import discover
from clawactors.app.problem import Problem
from clawactors.eventlog import Unavailable


@pytest.fixture
def no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("HOME", "CLAW_DATA", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "NATS_URL", "CLAW_NATS_URL", "NATS_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", home)
    monkeypatch.setattr(os.path, "expanduser", str)


@pytest.mark.usefixtures("no_home")
def test_without_a_home_the_data_folder_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="no home folder"):
        settings.data_folder()
    assert settings.data_folder(str(tmp_path)) == tmp_path
    with pytest.raises(Unavailable):
        discover(data=str(tmp_path), env={})


@pytest.fixture
def restored(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", "")
    return monkeypatch


def test_temporary_files_go_to_the_data_folder_where_nothing_else_takes_them(
    restored: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    restored.setattr(tempfile, "gettempdir", os.getcwd)
    ensure_temporary(tmp_path)
    assert os.environ["TMPDIR"] == str(tmp_path / "tmp")
    restored.undo()


def test_a_usual_place_is_left(restored: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ensure_temporary(tmp_path)
    assert not os.environ["TMPDIR"]
    assert not (tmp_path / "tmp").exists()
