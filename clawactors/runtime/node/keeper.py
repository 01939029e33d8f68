"""A program that stands between a node and one command, so that nothing of the command is ever left behind.

`python -I -S keeper.py LIFE STATUS COMMAND …`: a byte on the pipe LIFE asks the command to end (SIGTERM to its group);
the end of that pipe, which comes also when the node is killed, kills at once. On the pipe STATUS it answers `exit N`
(negative for a signal), or `error ERRNO` when the command can't be run. With the command ends all that it started.

On Linux orphans of the command become the keeper's children, however far they detached themselves, and end here too;
elsewhere its process group does. It imports next to nothing, because every command waits for it.
"""

import ctypes
import os
import select
import signal
import sys
from contextlib import suppress

__all__ = ["main"]

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_INTERNAL = 127  # what a child says that could not become the command; `error` goes before it


def main(life: int, status: int, command: list[str]) -> None:
    """Runs the command to its end, then ends what it left."""
    os.set_inheritable(life, False)
    os.set_inheritable(status, False)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    keeper = os.getpid()
    try:
        pid = os.fork()
    except OSError as error:
        os.write(status, b"error %d" % (error.errno or 0))
        return
    if pid == 0:
        _become(command, status, keeper)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):  # the pipes of the command are its own: their ends must show as it closes them
        os.dup2(nowhere, standard)
    code = _wait(pid, life, woken)
    if code is not None:
        with suppress(BrokenPipeError):
            os.write(status, b"exit %d" % code)
    _end_all(pid)


def _become(command: list[str], status: int, keeper: int) -> None:
    try:
        os.setsid()
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != keeper:  # it was killed before the line above
            os._exit(_INTERNAL)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.execvp(command[0], command)  # noqa: S606 - a list, and no shell is wanted
    except OSError as error:
        os.write(status, b"error %d " % (error.errno or 0))
    finally:
        os._exit(_INTERNAL)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _wait(pid: int, life: int, woken: int) -> int | None:
    """The exit code; None when it has to end at once."""
    waiting = select.poll()
    waiting.register(life, select.POLLIN)
    waiting.register(woken, select.POLLIN)
    while True:
        for ready, _ in waiting.poll():
            if ready == woken:
                with suppress(BlockingIOError):
                    os.read(woken, 4096)
                codes = _reap()
                if pid in codes:
                    return codes[pid]
            elif os.read(life, 1):
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGTERM)
            else:
                return None


def _reap() -> dict[int, int]:
    """The exit codes of all children that have ended."""
    codes: dict[int, int] = {}
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            codes[ended[0]] = os.waitstatus_to_exitcode(ended[1])
    return codes


def _end_all(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    with suppress(ChildProcessError):  # nobody is left
        while True:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                for child in _children():
                    with suppress(ProcessLookupError, PermissionError):
                        os.kill(child, signal.SIGKILL)
                os.waitpid(-1, 0)  # as one ends, its own children become ours


def _children() -> list[int]:
    me, found = b"%d" % os.getpid(), []
    with suppress(FileNotFoundError):
        for name in filter(str.isdigit, os.listdir("/proc")):
            with suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                if file.read().rpartition(b")")[2].split()[1] == me:
                    found.append(int(name))
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
