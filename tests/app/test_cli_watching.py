"""`--watch`: one screen in place of another, changes in a pipe, and a terminal that is left as it was found."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = str(Path(__file__).parents[2])
ENV = os.environ | {"PYTHONPATH": ROOT, "TERM": "xterm"}
BAR = """
import asyncio, sys
from clawactors.app.cli.progress import ProgressBar
from clawactors.app.cli.shell import execute

async def work():
    with ProgressBar("cancel", 100):
        await asyncio.Event().wait()

sys.exit(execute(lambda argv: asyncio.run(work())))
"""
PROGRAM = """
import asyncio, itertools, sys
from types import SimpleNamespace
from clawactors.app.cli.output import Table
from clawactors.app.cli.shell import execute
from clawactors.app.cli.watching import watch

turns = itertools.count(1)

async def ask():
    return [{"id": "a", "n": 7}, {"id": "b", "n": next(turns)}]

def parts(answer):
    return [Table(("ID", "N"), [(row["id"], row["n"]) for row in answer])]

def run(argv):
    options = SimpleNamespace(json="--json" in argv)
    return asyncio.run(watch(options, ask, parts, lambda answer: answer[1]["n"] == (LAST)))

sys.exit(execute(run))
"""


def watching(*arguments: str, last: int = -1, stdout: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    code = PROGRAM.replace("(LAST)", str(last))
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], env=ENV, stdout=stdout, stderr=subprocess.PIPE, start_new_session=True
    )


def test_a_pipe_gets_the_lines_that_change_until_the_last_answer() -> None:
    out, err = watching(last=3).communicate(timeout=60)
    assert (out, err) == (b"ID\tN\na\t7\nb\t1\nb\t2\nb\t3\n", b"")


def test_json_is_a_line_for_each_row_that_changes() -> None:
    out, _ = watching("--json", last=2).communicate(timeout=60)
    assert out.splitlines() == [b'{"id":"a","n":7}', b'{"id":"b","n":1}', b'{"id":"b","n":2}']


def test_a_reader_that_has_left_ends_it_quietly() -> None:
    process = watching()
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == b"ID\tN\n"
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGHUP, 129)]
)
def test_whatever_ends_it_the_terminal_is_as_before_and_the_last_screen_stays(
    number: signal.Signals, code: int
) -> None:
    ours, theirs = pty.openpty()
    process = watching(stdout=theirs)
    os.close(theirs)
    shown = signalled(process, ours, b"Ctrl-C ends", number)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (code, b"")
    assert cursor_is_back(shown)
    assert b"\x1b[?1049h" not in shown, "the screen is that of the shell"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM), (signal.SIGHUP, -signal.SIGHUP)]
)
def test_whatever_ends_a_progress_bar_its_line_is_gone(number: signal.Signals, code: int) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", BAR], env=ENV, stdout=subprocess.DEVNULL, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    shown = signalled(process, ours, b"0/100", number)
    assert process.wait(timeout=60) == code
    assert cursor_is_back(shown)
    assert b"0/100" not in shown.rpartition(b"\x1b[2K")[2]


def signalled(process: subprocess.Popen[bytes], terminal: int, mark: bytes, number: signal.Signals) -> bytes:
    """All that the terminal was shown by a process that got the signal once the mark had come."""
    shown = b""
    while mark not in shown:
        shown += os.read(terminal, 4096)
    os.kill(process.pid, number)
    try:
        while more := os.read(terminal, 4096):
            shown += more
    except OSError:  # the other side is closed
        pass
    os.close(terminal)
    return shown


def cursor_is_back(shown: bytes) -> bool:
    return 0 <= shown.rfind(b"\x1b[?25l") < shown.rfind(b"\x1b[?25h")
