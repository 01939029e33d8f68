"""The folder that holds all a cluster keeps, claimed by one supervisor at a time.

1. A folder is ours when it has our marker or is empty; anything else is never written to.
2. The claim is a lock of the kernel: it ends with its holders, however they end, and no stale file can block a start.
3. The server child inherits the lock, so a claim is free only when nobody writes to the store any more.
"""

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from clawactors.app.folderlock import LOCK, MARKER, foreign_in, pid_in, record
from clawactors.eventlog import Misconfigured
from clawactors.projections.engine.durable import sync
from clawactors.version import VERSION

__all__ = ["FORMAT", "RESERVE_BYTES", "RESTORING", "DataFolder", "InUse", "explained", "write_private"]

FORMAT: Final = 1
RESERVE_BYTES: Final = 256 << 20
"""Space that the store leaves free, so that views and logs can still be written when appends are refused."""

RESTORING: Final = "restoring"
"""There while a backup is being restored into the folder: what it holds is not whole."""

_WAIT_S = 3.0


class InUse(Misconfigured):
    """A cluster runs on this data folder already."""


class _Marker(msgspec.Struct):
    format: int
    version: str
    created_at: str
    server_version: str = ""


class DataFolder:
    """A claimed data folder: `claim` it, `release` it, or use it in a `with`."""

    def __init__(self, path: Path, lock: int, marker: _Marker) -> None:
        self.path = path
        self.lock = lock
        self._marker = marker

    @classmethod
    def claim(cls, path: Path, lock: int | None = None, *, restoring: bool = False) -> Self:
        """Makes the folder where it is missing and holds it until released or the process is gone.

        `lock` is the lock where this process holds it already (`folderlock.hold`); it is closed on any failure.
        `restoring` takes a folder that a restore has not completed, which is refused otherwise.
        Raises: `InUse`; `Misconfigured` for a folder that is foreign, full, not writable or of a newer release.
        """
        with explained(path):
            if lock is None:
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
                _read_marker(path)  # a foreign folder is not even locked
                lock = _lock(path)
            try:
                if not restoring and (path / RESTORING).exists():
                    raise Misconfigured(
                        f"the restore into {path} was interrupted: run claw restore again, or remove the folder"
                    )
                marker = _read_marker(path)
                if marker is None or marker.version != VERSION:
                    created_at = marker.created_at if marker else datetime.now(UTC).isoformat(timespec="seconds")
                    marker = _Marker(FORMAT, VERSION, created_at, marker.server_version if marker else "")
                    write_private(path / MARKER, msgspec.json.encode(marker))
                claimed = cls(path, lock, marker)
                claimed.check_space()
                record(lock, os.getpid())
            except BaseException:
                os.close(lock)
                raise
            return claimed

    @property
    def server(self) -> Path:
        """Where the server keeps its store, its configuration and its log."""
        return self.path / "server"

    def check_space(self) -> int:
        """The free bytes beyond the reserve.

        Raises: `Misconfigured` where the reserve itself is not there.
        """
        free = shutil.disk_usage(self.path).free
        if free <= RESERVE_BYTES:
            raise Misconfigured(
                f"only {free >> 20} MB are free for data folder {self.path}, it needs {RESERVE_BYTES >> 20} MB: "
                "free some space, or choose another folder with --data"
            )
        return free - RESERVE_BYTES

    @property
    def has_space(self) -> bool:
        """True while the reserve and more is free."""
        try:
            return self.check_space() > 0
        except Misconfigured:
            return False

    def admit_server(self, version: tuple[int, int, int]) -> None:
        """Notes which server writes the store from now on.

        Raises: `Misconfigured` for a release older than the last one: it may not understand the store.
        """
        text = ".".join(map(str, version))
        before = tuple(map(int, self._marker.server_version.split("."))) if self._marker.server_version else (0, 0, 0)
        if version[:2] < before[:2]:
            raise Misconfigured(
                f"data folder {self.path} was last served by nats-server {self._marker.server_version}, "
                f"this is {text}: install that release or a newer one"
            )
        if version != before:
            self._marker = msgspec.structs.replace(self._marker, server_version=text)
            with explained(self.path):
                write_private(self.path / MARKER, msgspec.json.encode(self._marker))

    def release(self) -> None:
        """Ends the claim; again is harmless."""
        if self.lock >= 0:
            os.close(self.lock)
            self.lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


def write_private(path: Path, content: bytes) -> None:
    """Replaces a file at once and durably; only its owner can read it, at no moment anybody else."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    with suppress(FileNotFoundError):
        new.unlink()
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    sync(path.parent)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns what the system refuses about a data folder's files into one line with the way out.

    Raises: `Misconfigured` in place of `OSError`.
    """
    try:
        yield
    except OSError as error:
        match error.errno:
            case errno.ENOSPC | errno.EDQUOT:
                reason = "the disk is full: free some space"
            case errno.EROFS:
                reason = "the file system is read-only: mount it writable"
            case errno.EACCES | errno.EPERM:
                reason = "this user may not write there: change its owner or mode"
            case errno.EEXIST | errno.ENOTDIR:
                reason = "a file is in the way: remove it"
            case _:
                reason = f"{error.strerror or error}: repair it"
        raise Misconfigured(f"can't use data folder {path}: {reason}, or choose another folder with --data") from error


def _read_marker(path: Path) -> _Marker | None:
    """The marker of a folder of ours, None for an empty folder."""
    try:
        marker = msgspec.json.decode((path / MARKER).read_bytes(), type=_Marker)
    except FileNotFoundError:
        if foreign := foreign_in(path):
            raise Misconfigured(
                f"{path} holds {foreign[0]!r} and is not a claw data folder: choose a new or empty one with --data"
            ) from None
        return None
    except msgspec.MsgspecError:
        raise Misconfigured(
            f"{path / MARKER} is damaged: restore it from a backup, or choose another folder with --data"
        ) from None
    if marker.format > FORMAT:
        raise Misconfigured(
            f"data folder {path} was written by claw {marker.version}, this is {VERSION}: "
            "update claw, or choose another folder with --data"
        )
    return marker


def _lock(path: Path) -> int:
    lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + _WAIT_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # A server whose supervisor was killed takes a moment to follow it; a living supervisor stays.
            pid = pid_in(lock)
            if _is_alive(pid) or time.monotonic() > deadline:
                os.close(lock)
                raise InUse(
                    f"data folder {path} is in use by a running cluster (pid {pid}): "
                    "stop it with claw down, or choose another folder with --data"
                ) from None
            time.sleep(0.02)
        except BaseException:
            os.close(lock)
            raise
        else:
            return lock


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0) if pid > 0 else None
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return pid > 0
