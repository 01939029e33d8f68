"""The lock of a data folder: who holds it, and taking it before anything else is imported.

1. The lock is the kernel's: it ends with its holders, however they end.
2. The file holds the pid of the supervisor; it counts only while the lock is held.
3. Standard library only: `claw up` records itself with this first, so that a `claw down` a moment later finds it.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["JOINED", "LOCK", "MARKER", "foreign_in", "hold", "holder", "pid_in", "record"]

MARKER: Final = "claw.json"
"""What makes a folder ours."""
LOCK: Final = "lock"
JOINED: Final = "joined"
"""Where it says which cluster of others this machine has joined."""

_NOT_FOREIGN: Final = {LOCK, "memory.toml", "settings.toml", "service.env", "tmp", "lost+found", ".DS_Store"}


def hold(path: Path) -> int | None:
    """Takes the lock of a folder that is ours or empty, making it where it is missing: the descriptor of the lock.

    None where that fails for any reason: `DataFolder.claim` says it.
    """
    lock = -1
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (path / MARKER).exists() and foreign_in(path):
            return None
        lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        record(lock, os.getpid())
    except OSError:
        if lock >= 0:
            os.close(lock)
        return None
    return lock


def record(lock: int, pid: int) -> None:
    """Writes who holds the lock now."""
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(pid).encode(), 0)


def holder(path: Path) -> int | None:
    """The pid of the supervisor that holds this folder now, None where nobody does."""
    try:
        lock = os.open(path / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return pid_in(lock)
    finally:
        os.close(lock)
    return None


def pid_in(lock: int) -> int:
    """The pid in the file, 0 where there is none."""
    with suppress(ValueError):
        return int(os.pread(lock, 20, 0))
    return 0


def foreign_in(path: Path) -> list[str]:
    """What lies in a folder without a marker and is not of ours."""
    names = set(os.listdir(path)) - _NOT_FOREIGN
    return sorted(name for name in names if not name.startswith(f".{MARKER}."))
