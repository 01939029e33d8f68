"""A child ends with its parent, also when that is killed with -9."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from clawactors.app import lifeline
from tests.app.conftest import Watch

TIED = """
import os, sys, time
from clawactors.app.lifeline import die_with_parent
die_with_parent(int(sys.argv[1]))
print(os.getpid(), flush=True)
time.sleep(60)
"""
PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, *[part.replace("PARENT", str(os.getpid())) for part in sys.argv[1:]]])
time.sleep(60)
"""
PROGRAM = str(Path(lifeline.__file__))
SLEEPER = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"


@pytest.mark.parametrize(
    "child",
    [["-c", TIED, "PARENT"], ["-I", "-S", PROGRAM, "exec", "PARENT", sys.executable, "-c", SLEEPER]],
    ids=["in its own main", "before another program"],
)
def test_a_child_is_gone_when_its_parent_was_killed(child: list[str], watch: Watch) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, *child], stdout=subprocess.PIPE, text=True) as parent:
        try:
            assert parent.stdout is not None
            ended = watch(int(parent.stdout.readline()))
        finally:
            parent.kill()
        assert ended()


def test_a_child_that_starts_after_the_end_of_its_parent_ends_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", TIED, "1" if os.getpid() != 1 else "2"], check=False, timeout=10)
    assert done.returncode == -9


def test_a_watcher_kills_what_it_watches_after_the_parent(watch: Watch) -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        child = ["-c", "import os, sys; print(os.getpid(), flush=True); os.execv(sys.executable, sys.argv[1:])"]
        child += [sys.executable, "-I", "-S", PROGRAM, "watch", "PARENT", str(sleeper.pid)]
        with subprocess.Popen([sys.executable, "-c", PARENT, *child], stdout=subprocess.PIPE, text=True) as parent:
            try:
                assert parent.stdout is not None
                ended = watch(int(parent.stdout.readline()))
            finally:
                parent.kill()
        assert sleeper.wait(timeout=10) == -9
        assert ended()
    finally:
        sleeper.kill()
        sleeper.wait()


def test_a_watcher_ends_with_what_it_watches() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    lifeline.kill_after(os.getppid(), gone.pid)
