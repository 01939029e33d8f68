"""What systemd and launchd read is what was meant, whatever is in a path."""

import plistlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from clawactors.app.daemon.plan import ServicePlan, service_name
from clawactors.app.daemon.unitfiles import plist_bytes, unit_text
from clawactors.app.problem import Problem

STRANGE = Path('/srv/my data/100% $HOME "it\'s" 小雯\\x')


def plan(*words: str, data: Path = STRANGE, is_system: bool = False) -> ServicePlan:
    return ServicePlan(
        name="claw-test", words=words or ("up", "--data", str(data)), data=data,
        folder=Path("/"), path="/usr/bin:/b in", is_system=is_system,
        user="daemon" if is_system else "",
    )  # fmt: skip


def read_as_systemd(line: str) -> list[str]:
    """The words of a command line: quotes, escapes, `%%` and `$$`, as systemd.syntax(7) has them."""
    words, at = list[str](), 0
    while at < len(line):
        assert line[at] == '"'
        at, word = at + 1, ""
        while line[at] != '"':
            at += line[at] == "\\"
            word += line[at]
            at += 1
        words.append(word.replace("%%", "%").replace("$$", "$"))
        at += 2
    return words


def values(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and line[0] != "#")


def test_every_word_of_the_command_comes_through() -> None:
    made = plan()
    assert read_as_systemd(values(unit_text(made))["ExecStart"]) == list(made.command)


def test_values_that_take_no_quotes_have_none() -> None:
    told = values(unit_text(plan()))
    assert told["EnvironmentFile"] == f"-{str(STRANGE).replace('%', '%%')}/service.env"
    assert told["Environment"] == '"PATH=/usr/bin:/b in"'


def test_a_cluster_is_told_to_stop_by_its_supervisor_alone_and_has_time_for_it() -> None:
    told = values(unit_text(plan()))
    assert (told["Type"], told["KillMode"], told["Restart"]) == ("notify", "mixed", "on-failure")
    assert int(told["TimeoutStopSec"]) > 60
    assert "User" not in told
    assert told["WantedBy"] == "default.target"


def test_a_node_whose_id_is_taken_is_not_started_again() -> None:
    assert values(unit_text(plan("join")))["RestartPreventExitStatus"] == "2 4"


@pytest.mark.parametrize("bad", ["/a\nExecStartPre=/bin/x", "/a\x7f", "/a\udcff"])
def test_a_path_that_no_line_can_hold_is_refused(bad: str) -> None:
    with pytest.raises(Problem, match="no service file can hold it"):
        unit_text(plan(data=Path(bad)))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize("is_system", [False, True])
def test_systemd_finds_no_fault_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_system: bool) -> None:
    data = tmp_path / "my 100% 小雯"
    data.mkdir()
    (data / "py$thon").symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(data / "py$thon"))
    unit = tmp_path / "claw-test.service"
    unit.write_text(unit_text(plan(data=data, is_system=is_system)), "utf-8")
    done = subprocess.run(
        [shutil.which("systemd-analyze") or "", "verify", "--recursive-errors=no", "--man=no", str(unit)],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "claw-test" in line]
    assert not ours


def test_launchd_reads_what_was_meant() -> None:
    made = plan(is_system=True)
    told = plistlib.loads(plist_bytes(made))
    assert told["ProgramArguments"] == list(made.command)
    assert told["Label"] == "claw.service.claw-test"
    assert told["KeepAlive"] == {"SuccessfulExit": False}
    assert told["UserName"] == "daemon"
    assert "UserName" not in plistlib.loads(plist_bytes(plan()))


def test_a_data_folder_has_one_name() -> None:
    assert service_name(Path("/x"), is_default=True) == "claw"
    one, other = service_name(Path("/a/claw data")), service_name(Path("/b/claw data"))
    assert one.startswith("claw-claw-data-")
    assert one != other
    assert service_name(Path("/x"), "gpu.box", is_default=True) == "claw-node-gpu-box"
