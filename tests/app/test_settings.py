"""Where a cluster keeps everything."""

from pathlib import Path

import pytest

from clawactors.app.settings import data_folder


def test_the_data_folder_is_what_was_given_then_the_environment_then_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("CLAW_DATA", "/srv/claw")
    assert data_folder("here") == Path.cwd() / "here"
    assert data_folder("~/there") == Path("/home/ada/there")
    assert data_folder() == Path("/srv/claw")
    monkeypatch.delenv("CLAW_DATA")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert data_folder() == Path("/data/claw")
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert data_folder() == Path("/home/ada/.local/share/claw")
    monkeypatch.setattr("sys.platform", "darwin")
    assert data_folder() == Path("/home/ada/Library/Application Support/claw")
