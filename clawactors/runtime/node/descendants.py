"""The processes that skills start: found, ended, and reaped, however far they have detached themselves.

1. A process belongs to whom it descends from, or whose mark its environment carries: forks and programs inherit both.
2. Linux gives orphans to the next subreaper above them: the process of an isolated skill, or the supervisor of a
   cluster. Elsewhere, and without `/proc`, only process groups end; see `docs/tasks.md`.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from typing import Final

__all__ = ["ATTEMPT", "NODE", "Reaper", "become_subreaper", "die_with", "end_all", "end_own", "family_of", "marked"]

ATTEMPT: Final = "CLAW_ATTEMPT"
"""The environment variable that marks what an isolated attempt has started."""

NODE: Final = "CLAW_NODE"
"""The one that marks what a node has started."""

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_LAST_S: Final = 2.0
_PAUSE_S: Final = 0.01


def become_subreaper() -> None:
    """From now on orphans below this process become its children."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with(parent: int) -> None:
    """This process ends when that one, its parent, does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _parents() -> dict[int, int]:
    """By pid, the parent of each process that has not ended."""
    found = {}
    with contextlib.suppress(FileNotFoundError):
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                state, parent = file.read().rpartition(b")")[2].split()[:2]
                if state not in b"ZX":
                    found[int(name)] = int(parent)
    return found


def family_of(roots: Iterable[int]) -> set[int]:
    """All that descends from these processes, without them."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents().items():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    todo = list(roots)
    while todo:
        new = [child for child in children.get(todo.pop(), ()) if child not in found]
        found.update(new)
        todo += new
    return found


def marked(name: str, value: str) -> set[int]:
    """All whose environment, at their start, had this value under this name."""
    wanted, found = f"{name}={value}".encode(), set()
    for pid in _parents():
        with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
            if wanted in file.read().split(b"\0"):
                found.add(pid)
    return found


def end_all(find: Callable[[], set[int]]) -> None:
    """Kills what `find` gives until it gives nothing more, for at most 2 s."""
    until_s, own = time.monotonic() + _LAST_S, os.getpid()
    while (pids := find() - {own}) and time.monotonic() < until_s:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_PAUSE_S)


def end_own() -> None:
    """Kills all that descends from this process."""
    end_all(lambda: family_of([os.getpid()]))


class Reaper:
    """Waits for the orphans that this process was given, so that none stays a zombie.

    Children that the process has started itself are left to their own waiting: only who is a zombie at two turns in a
    row is reaped, and none of those in `known`.
    """

    def __init__(self, known: Callable[[], set[int]]) -> None:
        self._known, self._zombies = known, set[int]()

    def reap(self) -> None:
        """Reaps what was a zombie at the last turn and is one still."""
        children = _children() - self._known()
        zombies = {pid for pid in children if _is_zombie(pid)}
        for pid in zombies & self._zombies:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        self._zombies = zombies

    def strays(self) -> set[int]:
        """The orphans that are alive, with all that descends from them."""
        given = {pid for pid in _children() - self._known() if not _is_zombie(pid)}
        return given | family_of(given)


def _children() -> set[int]:
    found: set[int] = set()
    with contextlib.suppress(FileNotFoundError):
        for thread in os.listdir("/proc/self/task"):
            with contextlib.suppress(OSError), open(f"/proc/self/task/{thread}/children", "rb") as file:
                found.update(map(int, file.read().split()))
    return found


def _is_zombie(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] == b"Z"
    except OSError:
        return False
