"""Processes that never outlive their parent, even when it is killed with -9.

On Linux the kernel does it (`PR_SET_PDEATHSIG`). The signal comes when the *thread* that started the child ends, so
children are started from a thread that lives as long as the process: the one that runs the event loop.
Elsewhere the parent is looked at twice a second: a process whose parent ended gets another one.

As a program, `python -I -S lifeline.py exec PARENT COMMAND …` becomes the command, tied; `… watch PARENT PID` kills a
process after the parent. It imports next to nothing, because every start of the server waits for it.
"""

import ctypes
import os
import signal
import sys
import time

__all__ = ["die_with_parent", "kill_after"]

_LOOK_EVERY_S = 0.5
_PR_SET_PDEATHSIG = 1


def die_with_parent(parent_pid: int) -> None:
    """Ties this process to its parent: it is killed when the parent ends, at once when that is already gone.

    Call it first thing in a child's main; `parent_pid` is what the parent knows as its own pid.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
        if os.getppid() != parent_pid:  # it ended before the line above
            os.kill(os.getpid(), signal.SIGKILL)
    else:
        import threading

        threading.Thread(target=kill_after, args=(parent_pid, os.getpid()), name="lifeline", daemon=True).start()


def kill_after(parent_pid: int, pid: int) -> None:
    """Waits until the parent of this process ends, then kills `pid`; returns when that is gone before."""
    while os.getppid() == parent_pid:
        time.sleep(_LOOK_EVERY_S)
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
    os.kill(pid, signal.SIGKILL)


def _main(role: str, parent_pid: str, *rest: str) -> None:
    if role == "watch":
        kill_after(int(parent_pid), int(rest[0]))
    else:
        die_with_parent(int(parent_pid))
        os.execv(rest[0], rest)  # noqa: S606 - a list, and no shell is wanted


if __name__ == "__main__":
    _main(*sys.argv[1:])
