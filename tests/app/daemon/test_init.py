"""`claw` as process 1 of a namespace of its own, as in a container."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAM = """
import os, signal, subprocess, sys, time
from clawactors.app.daemon.init import become_init
become_init()
assert os.getpid() != 1
"""
UNSHARE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]


def can_unshare() -> bool:
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return False
    return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not can_unshare(), reason="needs namespaces of processes")


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    made: list[subprocess.Popen[str]] = []
    yield made
    for each in made:
        each.kill()
        each.communicate()


def start(made: list[subprocess.Popen[str]], code: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [*UNSHARE, sys.executable, "-c", PROGRAM + code], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    made.append(process)
    return process


def process_one(made: subprocess.Popen[str]) -> int:
    """Its pid outside of the namespace."""
    return int(Path(f"/proc/{made.pid}/task/{made.pid}/children").read_text())


@pytest.mark.parametrize(
    ("code", "exit_code"), [("sys.exit(0)", 0), ("sys.exit(3)", 3), ("os.kill(os.getpid(), signal.SIGKILL)", 137)]
)
def test_the_exit_code_is_that_of_the_work(started: list[subprocess.Popen[str]], code: str, exit_code: int) -> None:
    assert start(started, code).wait(20) == exit_code


def test_orphans_are_reaped(started: list[subprocess.Popen[str]]) -> None:
    code = """
for _ in range(20):
    subprocess.run(["sh", "-c", "true & true"])
end = time.monotonic() + 10
def is_left(pid):
    try:
        return " Z " in open(f"/proc/{pid}/stat").read()
    except OSError:  # reaped meanwhile
        return False
while time.monotonic() < end:
    left = [p for p in os.listdir("/proc") if p.isdigit() and is_left(p)]
    if not left: sys.exit(0)
    time.sleep(0.01)
sys.exit(9)
"""
    assert start(started, code).wait(20) == 0


def test_a_signal_reaches_the_work_even_before_it_has_asked_for_it(started: list[subprocess.Popen[str]]) -> None:
    made = start(started, "print('begun', flush=True); time.sleep(60)")
    assert made.stdout is not None
    assert made.stdout.readline() == "begun\n"
    os.kill(process_one(made), signal.SIGTERM)
    assert made.wait(20) == 128 + signal.SIGTERM


def test_the_work_ends_in_its_own_time(started: list[subprocess.Popen[str]]) -> None:
    code = """
def end(*_):
    print("drained", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("begun", flush=True)
time.sleep(60)
"""
    made = start(started, code)
    assert made.stdout is not None
    assert made.stdout.readline() == "begun\n"
    os.kill(process_one(made), signal.SIGTERM)
    assert made.stdout.readline() == "drained\n"
    assert made.wait(20) == 0


def test_ctrl_c_comes_once(started: list[subprocess.Popen[str]]) -> None:
    code = """
came, passed = [], []
signal.signal(signal.SIGINT, lambda *_: came.append(1))
signal.signal(signal.SIGUSR1, lambda *_: passed.append(1))
print("begun", flush=True)
while not came:
    time.sleep(0.01)
os.kill(1, signal.SIGUSR1)  # process 1 hands on lower numbers first, so an interrupt of its own would come before
while not passed:
    time.sleep(0.01)
sys.exit(len(came))
"""
    ours, terminal = os.openpty()
    made = subprocess.Popen(
        [*UNSHARE, sys.executable, "-c", f"import os; os.login_tty({terminal})\n{PROGRAM}{code}"],
        start_new_session=True,
        pass_fds=(terminal,),
        text=True,
    )
    started.append(made)
    os.close(terminal)
    told = b""
    while b"begun" not in told:
        told += os.read(ours, 100)
    os.write(ours, b"\x03")
    assert made.wait(20) == 1
    os.close(ours)
