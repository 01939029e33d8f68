"""Process 1 of a container: the kernel gives it every orphan, and no signal that it has not asked for.

It stays as small as it is when `claw` begins. What does the work is its child, for which signals mean what they mean
everywhere; that child's exit code is the container's.
"""

import contextlib
import os
import signal
from typing import Final

__all__ = ["become_init"]

_FORWARDED: Final = frozenset(
    (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH)
)


def become_init() -> None:
    """Returns in a child process; this one forwards signals, reaps, and ends with the child's exit code.

    The end of process 1 ends all that is left in its container.
    """
    waited = _FORWARDED | {signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, waited)  # what comes meanwhile is kept
    child = os.fork()
    if not child:
        _take_terminal()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return
    while True:
        number = signal.sigwait(waited)
        if number == signal.SIGCHLD:
            code = _reap(child)
            if code is not None:
                os._exit(code)
        else:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, number)


def _take_terminal() -> None:
    """Makes a group of its own the one of the terminal: a Ctrl-C comes once, not from there and from process 1."""
    os.setpgid(0, 0)
    with contextlib.suppress(OSError):  # no terminal, or one of somebody else's
        before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        try:
            os.tcsetpgrp(0, os.getpgrp())
        finally:
            signal.signal(signal.SIGTTOU, before)


def _reap(child: int) -> int | None:
    """Reaps all that has ended: the exit code of the container, once the child was among it."""
    code = None
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            if pid == child:
                ended = os.waitstatus_to_exitcode(status)
                code = 128 - ended if ended < 0 else ended  # as shells have it
    return code
