"""`claw service` by way of a systemctl that notes what it is asked."""

import json
import shlex
from pathlib import Path

import pytest

from clawactors.app.cli.main import main

FAKE = """#!/bin/sh
echo "$@" >> "{log}"
case "$*" in *show*) cat "{state}";; esac
[ ! -e "{broken}" ] || {{ echo "Failed to connect to bus" >&2; exit 1; }}
"""


class Systemctl:
    def __init__(self, folder: Path) -> None:
        self.log, self.state, self.broken = folder / "asked", folder / "state", folder / "broken"
        self.state.write_text("ActiveState=active\nResult=success\nMainPID=7\nNRestarts=0\nUnitFileState=enabled\n")
        program = folder / "systemctl"
        program.write_text(FAKE.format(log=self.log, state=self.state, broken=self.broken))
        program.chmod(0o755)

    def asked(self) -> list[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return lines


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemctl:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("CLAW_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("sys.platform", "linux")
    return Systemctl(tmp_path / "bin")


def asked(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, object]:
    assert main(["--json", "service", *words]) == code
    answer: dict[str, object] = json.loads(capsys.readouterr().out)
    return answer


def test_its_life(systemctl: Systemctl, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data").mkdir()
    made = asked(capsys, "install", "--", "up", "--nodes", "3", "--web")
    name, file = made["service"], Path(str(made["file"]))
    assert made["changed"]
    assert f'"up" "--data" "{tmp_path}/data" "--nodes" "3" "--web"' in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    assert systemctl.asked() == [
        "--user daemon-reload",
        f"--user enable {name}",
        f"--user restart --no-block {name}",
    ]
    assert not asked(capsys, "install", "--", "up", "--nodes", "3", "--web")["changed"]
    assert systemctl.asked()[-1] == f"--user start --no-block {name}", "what runs goes on"
    assert asked(capsys, "status")["state"] == "running"
    systemctl.asked()
    assert asked(capsys, "remove")["removed"]
    assert systemctl.asked() == [f"--user disable --now {name}", "--user daemon-reload"]
    assert not file.exists()
    assert (tmp_path / "data").exists()
    assert not asked(capsys, "remove")["removed"]
    assert asked(capsys, "status", code=3)["error"]


def test_the_text_is_shown_and_nothing_changes(
    systemctl: Systemctl, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = asked(capsys, "install", "--dry-run", "--", "join", "--id", "gpu", "--nats", "nats://h:1")
    assert str(shown["service"]).startswith("claw-node-gpu-")
    assert '"join"' in str(shown["text"])
    assert not systemctl.asked()
    assert not (tmp_path / "config").exists()


def test_the_reason_of_a_failure_is_told(systemctl: Systemctl, capsys: pytest.CaptureFixture[str]) -> None:
    asked(capsys, "install")
    for result, why in (("exit-code", "code 4"), ("watchdog", "stood still"), ("oom-kill", "memory")):
        systemctl.state.write_text(f"ActiveState=failed\nResult={result}\nExecMainStatus=4\nMainPID=0\nNRestarts=2\n")
        told = asked(capsys, "status", code=1)
        assert told["state"] == "failed"
        assert told["restarts"] == 2
        assert why in str(told["why"])
    systemctl.broken.touch()
    assert "Failed to connect to bus" in str(asked(capsys, "status", code=1)["why"])


@pytest.mark.parametrize(
    "words",
    [
        ("install", "--", "demo"),
        ("install", "--", "up", "--detach"),
        ("install", "--", "up", "--no-such-option"),
        ("install", "--run-as", "nobody"),
        ("status", "--", "up"),
    ],
)
def test_what_no_service_can_do_is_refused(
    systemctl: Systemctl, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    asked(capsys, *words, code=2)
    assert not systemctl.asked()


def test_a_machine_without_systemd_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CLAW_DATA", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert "no systemd" in str(asked(capsys, "install", code=4)["error"])
    assert asked(capsys, "install", "--dry-run")["text"]


def test_down_says_that_the_service_is_there(systemctl: Systemctl, capsys: pytest.CaptureFixture[str]) -> None:
    asked(capsys, "install")
    assert main(["down"]) == 0
    assert "claw service remove" in capsys.readouterr().err


def test_what_operations_tell_people_to_type_is_taken(systemctl: Systemctl, capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text("utf-8")
    lines = [shlex.split(line, comments=True)[1:] for line in page.splitlines() if line.startswith("claw service ")]
    assert {words[1] for words in lines} == {"install", "status", "logs", "remove"}
    for _, verb, *words in lines:
        if verb == "install":
            assert asked(capsys, verb, "--dry-run", *words)["text"]
            systemctl.asked()
    asked(capsys, "install")
    for _, verb, *words in lines:
        if verb != "install":
            asked(capsys, verb, *words)
