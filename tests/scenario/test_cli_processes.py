"""Clusters that come and go: nothing is left behind, whatever ends them."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from clawactors.app.folderlock import hold, holder
from tests.scenario.claw import Claw

pytestmark = pytest.mark.nats


@pytest.fixture
def claw(tmp_path: Path) -> Iterator[Claw]:
    claw = Claw(tmp_path / "data")
    yield claw
    claw("down")


def pids_of(ready: dict[str, Any]) -> list[int]:
    pids = ready["pids"]
    return [pids["server"], pids["control"], pids["memory"], *pids["nodes"].values()]


def is_gone(pid: int) -> bool:
    """True for a process that has ended, waited for or not."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def ready_line(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    ready: dict[str, Any] = msgspec.json.decode(process.stdout.readline())
    assert ready["ready"]
    return ready


def program_of(node: int, name: str) -> int:
    """The pid of a program that a skill runs, once it does."""
    deadline_s = time.monotonic() + 15
    while time.monotonic() < deadline_s:
        for child in psutil.Process(node).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if child.name() == name:
                    return int(child.pid)
    raise AssertionError(f"no {name} runs below {node}")


def sleeps(claw: Claw, ready: dict[str, Any]) -> list[int]:
    """A task runs a program that has detached another; the pids of the supervisor and of all below it."""
    argv = msgspec.json.encode({"argv": ["sh", "-c", "setsid sleep 600 & sleep 600"]}).decode()
    assert claw.quick("submit", "shell", argv).code == 0
    program_of(ready["pids"]["nodes"]["n1"], "sleep")
    supervisor = psutil.Process(ready["pids"]["server"]).parent()
    assert supervisor is not None
    found = [supervisor.pid, *(child.pid for child in supervisor.children(recursive=True))]
    assert set(pids_of(ready)) < set(found)
    return found


def wait_for_end(pids: list[int]) -> None:
    psutil.wait_procs([psutil.Process(pid) for pid in pids if not is_gone(pid)], timeout=15)
    assert all(map(is_gone, pids))


def test_a_detached_cluster_works_and_down_leaves_nothing_of_it(claw: Claw) -> None:
    strict = {"PYTHONWARNINGS": "error", "PYTHONDEVMODE": "1"}
    up = claw("up", "--detach", "--nodes", "1", "--json", env=strict)
    assert up.code == 0, up.err
    assert "subprocess" not in up.err
    ready = up.answer
    assert set(ready) == {"ready", "nats_url", "data", "pids"}
    assert set(ready["pids"]) == {"server", "control", "memory", "web", "chat", "nodes"}
    assert ready["data"] == str(claw.data)
    supervisor = psutil.Process(ready["pids"]["server"]).ppid()
    assert supervisor != os.getpid()
    assert (
        claw("submit", "echo", '{"text": "hi"}', "--wait", "--json", "--nats", ready["nats_url"]).answer["result"]
        == "hi"
    )
    down = claw("down", "--json")
    assert (down.code, down.answer["stopped"]) == (0, True)
    assert all(map(is_gone, [supervisor, *pids_of(ready)]))
    assert claw("down", "--json").answer["stopped"] is False
    assert claw("tasks").code == 5
    stopped = claw("--verify", "--json", module="replay")
    assert (stopped.code, stopped.answer["equal"]) == (0, True), stopped.err


def test_killed_nodes_are_started_again_and_recorded(claw: Claw) -> None:
    ready = claw("up", "--detach", "--nodes", "1", "--json").answer
    killed = ready["pids"]["nodes"]["n1"]
    incarnation = claw("node", "n1", "--json").answer["incarnation"]
    os.kill(killed, signal.SIGKILL)
    done = claw("submit", "echo", '{"text": "again"}', "--wait", "30s", "--json")
    assert done.answer["status"] == "completed"
    assert claw("node", "n1", "--json").answer["incarnation"] != incarnation


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_cluster_in_the_foreground(claw: Claw, number: signal.Signals) -> None:
    with claw.start("up", "--nodes", "1", "--json") as up:
        ready = ready_line(up)
        up.send_signal(number)
        out, err = up.communicate(timeout=30)
    assert (up.returncode, out, err) == (0, "", "claw: Stopping. Press Ctrl-C again to force.\n")
    assert all(map(is_gone, pids_of(ready)))


def test_a_running_task_is_handed_back_by_the_first_signal_and_killed_by_the_second(claw: Claw) -> None:
    with claw.start("up", "--nodes", "1", "--json") as up:
        ready = ready_line(up)
        claw("submit", "shell", msgspec.json.encode({"argv": ["sleep", "600"]}).decode(), "--id", "stuck")
        started = program_of(ready["pids"]["nodes"]["n1"], "sleep")
        up.send_signal(signal.SIGINT)
        assert up.stderr is not None
        assert "Press Ctrl-C again" in up.stderr.readline()
        up.send_signal(signal.SIGINT)
        up.communicate(timeout=30)
    assert up.returncode == 0
    assert all(map(is_gone, pids_of(ready)))
    wait_for_end([started])


def test_ctrl_c_while_it_starts_leaves_nothing(claw: Claw) -> None:
    with claw.start("up", "--nodes", "1", "--json") as up:
        supervisor = psutil.Process(up.pid)
        while not supervisor.children() and up.poll() is None:
            pass
        children = supervisor.children(recursive=True)
        up.send_signal(signal.SIGINT)
        up.communicate(timeout=30)
    assert up.returncode in (0, 130)
    wait_for_end([child.pid for child in children])


def test_the_kill_of_a_supervisor_ends_everything(claw: Claw) -> None:
    with claw.start("up", "--nodes", "1", "--json") as up:
        ready = ready_line(up)
        up.kill()
        up.communicate(timeout=30)
    wait_for_end(pids_of(ready))
    assert claw("status").code == 5
    assert claw("up", "--nodes", "0", "--detach").code == 0


@pytest.mark.parametrize("more", [[], ["--detach"]])
def test_a_start_that_can_not_be_says_why_once_and_leaves_nothing(claw: Claw, more: list[str]) -> None:
    failed = claw("up", "--skills", "no_such_module", "--json", *more)
    assert (failed.code, failed.answer["error"]["code"]) == (2, "usage")
    assert "no_such_module" in failed.answer["error"]["message"]
    assert "--skills" in failed.answer["error"]["hint"]
    assert failed.err.count("\n") == 1
    assert claw("status").code == 5


@pytest.mark.parametrize(
    ("more", "delay_s"),
    [
        ([], 0.0),
        (["--detach"], 0.1),
        ([], 0.3),
        (["--detach"], 0.6),
        pytest.param(["--detach"], 0.0, marks=pytest.mark.soak),
        pytest.param([], 0.1, marks=pytest.mark.soak),
        pytest.param(["--detach"], 0.3, marks=pytest.mark.soak),
        pytest.param([], 0.6, marks=pytest.mark.soak),
    ],
)
def test_down_finds_a_cluster_that_starts(claw: Claw, more: list[str], delay_s: float) -> None:
    with claw.start("up", "--nodes", "1", "--json", *more) as up:
        while holder(claw.data) is None and up.poll() is None:
            time.sleep(0.005)
        time.sleep(delay_s)  # wherever it is by then: importing, handing over, starting its server, its nodes
        down = claw("down", "--json")
        assert (down.code, down.answer["stopped"]) == (0, True)
        up.communicate(timeout=30)
    assert holder(claw.data) is None
    assert claw.quick("status").code == 5
    assert not [
        each for each in psutil.process_iter(["cmdline"]) if str(claw.data) in " ".join(each.info["cmdline"] or [])
    ]


def test_up_records_itself_before_it_imports_anything_heavy(claw: Claw) -> None:
    with claw.start("up", "--nodes", "0", "--json") as up:
        while holder(claw.data) is None and up.poll() is None:
            time.sleep(0.001)
        loaded = psutil.Process(up.pid).memory_maps()
        up.terminate()
        up.communicate(timeout=30)
    assert not [each.path for each in loaded if "msgspec" in each.path or "lmdb" in each.path]


def test_what_starts_is_said_to_start(claw: Claw) -> None:
    lock = hold(claw.data)
    assert lock is not None
    try:
        status = claw.quick("status", "--json")
        assert (status.code, status.answer["error"]["code"]) == (5, "unavailable")
        assert f"is starting (pid {os.getpid()})" in status.answer["error"]["message"]
    finally:
        os.close(lock)


def test_a_foreign_folder_is_left_alone(claw: Claw) -> None:
    claw.data.mkdir()
    (claw.data / "letter.txt").write_text("dear reader")
    failed = claw("up", "--detach", "--json")
    assert failed.code == 4
    assert "letter.txt" in failed.answer["error"]["message"]
    assert os.listdir(claw.data) == ["letter.txt"]


@pytest.mark.parametrize("end", ["down", "Ctrl-C"])
def test_programs_that_skills_run_end_with_the_cluster(claw: Claw, end: str) -> None:
    with claw.start("up", "--nodes", "1", "--json") as up:
        found = sleeps(claw, ready_line(up))
        if end == "down":
            assert claw("down").code == 0
        else:
            up.send_signal(signal.SIGINT)
        up.communicate(timeout=60)
    wait_for_end(found)


def test_the_kill_of_a_detached_supervisor_ends_what_stands_still_as_well(claw: Claw) -> None:
    ready = claw("up", "--detach", "--nodes", "1", "--json").answer
    found = sleeps(claw, ready)
    for pid in pids_of(ready):
        os.kill(pid, signal.SIGSTOP)
    os.kill(psutil.Process(ready["pids"]["server"]).ppid(), signal.SIGKILL)
    wait_for_end(found)
    assert claw("up", "--nodes", "0", "--detach").code == 0, "the folder is free again"


@pytest.mark.soak
def test_down_ends_what_stands_still_as_well(claw: Claw) -> None:
    ready = claw("up", "--detach", "--nodes", "1", "--json").answer
    found = sleeps(claw, ready)
    for pid in pids_of(ready):
        os.kill(pid, signal.SIGSTOP)
    assert claw("down").code == 0
    wait_for_end(found)


def test_a_killed_node_takes_its_programs_along(claw: Claw) -> None:
    with claw.start("up", "--nodes", "0", "--json") as up:
        ready_line(up)
        with claw.start("join", "--id", "extra", "--slots", "1", "--json") as node:
            ready_line(node)
            argv = msgspec.json.encode({"argv": ["sleep", "600"]}).decode()
            assert claw.quick("submit", "shell", argv).code == 0
            program = program_of(node.pid, "sleep")
            found = [child.pid for child in psutil.Process(node.pid).children(recursive=True)]
            assert program in found
            node.kill()
            node.communicate()
        wait_for_end(found)
        up.send_signal(signal.SIGTERM)
        up.communicate(timeout=60)


def test_a_server_that_is_not_there_ends_up_with_5(claw: Claw) -> None:
    failed = claw("up", "--nats", "nats://127.0.0.1:1", "--json")
    assert (failed.code, failed.answer["error"]["code"]) == (5, "unavailable")
