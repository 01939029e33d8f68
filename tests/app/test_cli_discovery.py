"""Which server: the order that the interface promises, each with its reason."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clawactors.app.datafolder import DataFolder
from clawactors.app.discovery import Found, discover
from clawactors.app.runfile import Pids, Run, write_run
from clawactors.eventlog import Misconfigured, Unavailable

OWN = "nats://claw:secret@127.0.0.1:15001"
CONTEXT = '{"url": "nats://context:4222", "user": "u", "password": "p"}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def running(folder: Path) -> Iterator[Path]:
    """A data folder that says a cluster runs on it."""
    with DataFolder.claim(folder) as claimed:
        import os

        write_run(claimed, Run(os.getpid(), OWN, "now", "0", pids=Pids(server=1)))
        yield folder


@pytest.fixture
def environment(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Everything named at once."""
    monkeypatch.setenv("CLAW_DATA", str(folder))
    contexts = tmp_path / "config" / "nats" / "context"
    contexts.mkdir(parents=True)
    (contexts / "there.json").write_text(CONTEXT)
    return {
        "CLAW_NATS_URL": "nats://claw-env:4222",
        "NATS_URL": "nats://env:4222",
        "NATS_CONTEXT": "there",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }


def test_the_first_that_is_named_wins(running: Path, environment: dict[str, str]) -> None:
    def found(nats: str | None = None, data: str | None = None, context: str | None = None) -> tuple[str, str]:
        chosen = discover(nats, data, context, environment)
        return chosen.shown, chosen.why

    data = str(running)
    assert found("nats://given:4222", data, "there") == ("nats://given:4222", "named by --nats")
    assert found(None, data, "there") == ("nats://context:4222", "context 'there', named by --context")
    assert found(None, data) == ("nats://127.0.0.1:15001", f"a cluster runs on {data}, named by --data")
    assert found() == ("nats://claw-env:4222", "named by CLAW_NATS_URL")
    del environment["CLAW_NATS_URL"]
    assert found() == ("nats://127.0.0.1:15001", f"a cluster runs on {data}")


def test_without_a_cluster_the_environment_of_nats_counts(folder: Path, environment: dict[str, str]) -> None:
    del environment["CLAW_NATS_URL"]
    assert discover(None, str(folder), None, environment).why == "named by NATS_URL"
    del environment["NATS_URL"]
    assert discover(None, None, "there", environment).why == "context 'there', named by --context"
    assert discover(None, None, None, environment).why == "context 'there', named by NATS_CONTEXT"
    del environment["NATS_CONTEXT"]
    with pytest.raises(Unavailable, match=f"no cluster runs on {folder}: start one with `claw up`"):
        discover(None, None, None, environment)


def test_a_selected_context_and_the_usual_port_are_not_guessed(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "config" / "nats" / "context.txt").write_text("there")
    with pytest.raises(Unavailable):
        discover(env={"XDG_CONFIG_HOME": environment["XDG_CONFIG_HOME"]})


def test_an_overruled_context_is_told(running: Path, environment: dict[str, str]) -> None:
    assert discover("nats://given:4222", None, "there", environment).ignored == "the context 'there' is not used"
    assert discover(None, None, "there", environment).ignored == ""


def test_a_missing_context_is_the_callers_fault(folder: Path, environment: dict[str, str]) -> None:
    with pytest.raises(Misconfigured, match="nosuch"):
        discover(None, str(folder), "nosuch", {"XDG_CONFIG_HOME": environment["XDG_CONFIG_HOME"]})


def test_passwords_are_not_shown_but_passed_on(running: Path, environment: dict[str, str]) -> None:
    own = discover(None, str(running), None, {})
    assert (own.shown, own.address.text, own.is_own) == ("nats://127.0.0.1:15001", OWN, True)
    there = Found(
        discover(None, None, "there", {**environment, "NATS_URL": "", "CLAW_NATS_URL": ""}).address, "", running
    )
    assert not there.is_own


def test_a_context_of_names_becomes_an_address(folder: Path, environment: dict[str, str]) -> None:
    found = discover(None, str(folder), "there", {"XDG_CONFIG_HOME": environment["XDG_CONFIG_HOME"]})
    assert found.address.text == "nats://u:p@context:4222"


def test_a_context_of_files_is_passed_on_as_files(folder: Path, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "config" / "nats" / "context" / "files.json").write_text('{"url": "nats://x:1", "creds": "/c"}')
    found = discover(None, str(folder), "files", {"XDG_CONFIG_HOME": environment["XDG_CONFIG_HOME"]})
    assert (found.address.creds, found.address.text) == ("/c", "nats://x:1")


def test_credentials_of_the_environment_go_to_its_own_address_only(folder: Path) -> None:
    assert discover("nats://given:4222", str(folder), None, {"NATS_CREDS": "/c"}).address.creds == ""
    assert discover(None, str(folder), None, {"NATS_URL": "nats://e:1", "NATS_CREDS": "/c"}).address.creds == "/c"
