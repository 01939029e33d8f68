"""The file of a backup: a plain tar file that has its final name only once all of it is on disk.

1. It is written as `.NAME.part-PID`, synced, then renamed: a crash leaves no file or a whole one.
2. Its last member, `SHA256SUMS`, has a line for every other one, so that a file which is cut short has none, and
   `tar xf FILE && sha256sum -c SHA256SUMS` checks it without this program.
"""

import errno
import fcntl
import hashlib
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self

import msgspec

from clawactors.eventlog import Misconfigured
from clawactors.projections.engine.durable import sync

__all__ = ["SUMS", "BackupReader", "BackupUnfit", "BackupWriter", "Part", "sweep_parts"]

SUMS: Final = "SHA256SUMS"
_BLOCK: Final = 512
_NAME_BYTES: Final = 100
_READ_BYTES: Final = 1 << 20
_SYNC_BYTES: Final = 4 << 20
"""Small steps: a server on the same disk waits with its own syncs until one of these is done."""
_PART: Final = ".part-"
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class BackupUnfit(Misconfigured):
    """The file is no backup, or is damaged: nothing is restored from it."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A member of the file."""

    size_bytes: int
    sha256: str


class BackupWriter:
    """Writes a backup in a `with`; without `finish` nothing of it stays. `least_free` bytes of the disk stay free."""

    def __init__(self, path: Path, least_free: int = 0) -> None:
        self.path, self.size_bytes = path, 0
        self._least_free = least_free
        self._part = path.with_name(f".{path.name}{_PART}{os.getpid()}")
        self._sums: dict[str, str] = {}
        self._member = tarfile.TarInfo()
        self._begins = self._synced = 0
        self._hash = hashlib.sha256()

    def __enter__(self) -> Self:
        with self._explained():
            self._file = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            # Who looks for parts that a crash left behind sees that this one is being written.
            fcntl.flock(self._file, fcntl.LOCK_EX)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)
        self._part.unlink(missing_ok=True)

    def begin(self, name: str) -> None:
        """Begins a member; its name has at most 100 bytes, so that its header is one block."""
        if len(name.encode()) > _NAME_BYTES:
            raise Misconfigured(f"can't write the backup {self.path}: the name {name} is too long")
        self._member, self._begins, self._hash = tarfile.TarInfo(name), self.size_bytes, hashlib.sha256()
        self._member.mode = 0o600
        self._append(self._header())

    def write(self, content: bytes) -> None:
        """Adds to the member. Raises: `Misconfigured` where the disk is full."""
        self._append(content)
        self._hash.update(content)
        if self.size_bytes - self._synced >= _SYNC_BYTES:
            self._check_space()
            with self._explained():
                os.fsync(self._file)
            self._synced = self.size_bytes

    def end(self) -> Part:
        """Ends the member."""
        self._member.size = self.size_bytes - self._begins - _BLOCK
        with self._explained():
            os.pwrite(self._file, self._header(), self._begins)
        self._append(bytes(-self._member.size % _BLOCK))
        part = Part(size_bytes=self._member.size, sha256=self._hash.hexdigest())
        if self._member.name in self._sums:
            raise ValueError(f"{self._member.name} is there already")
        self._sums[self._member.name] = part.sha256
        return part

    def add(self, name: str, content: bytes) -> Part:
        """Adds a whole member."""
        self.begin(name)
        self.write(content)
        return self.end()

    def finish(self) -> None:
        """Gives the file its name, durably. Raises: `Misconfigured`."""
        self.add(SUMS, "".join(f"{sum}  {name}\n" for name, sum in self._sums.items()).encode())
        self._append(bytes(2 * _BLOCK))
        with self._explained():
            os.fsync(self._file)
            self._part.rename(self.path)
            sync(self.path.parent)

    def _header(self) -> bytes:
        return self._member.tobuf(tarfile.GNU_FORMAT)

    def _append(self, content: bytes) -> None:
        left = memoryview(content)
        with self._explained():
            while left:
                written = os.write(self._file, left)
                self.size_bytes += written
                left = left[written:]

    def _check_space(self) -> None:
        free = shutil.disk_usage(self.path.parent).free
        if free < self._least_free:
            raise Misconfigured(
                f"the backup {self.path} was stopped after {self.size_bytes >> 20} MB: only {free >> 20} MB are free, "
                f"and the cluster needs {self._least_free >> 20} MB: free some space, or choose another disk"
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in _FULL:
                reason = f"the disk is full after {self.size_bytes >> 20} MB: free some space, or choose another disk"
            else:
                reason = f"{error.strerror or error}: choose a folder that this user may write to"
            raise Misconfigured(f"can't write the backup {self.path}: {reason}") from error


class BackupReader:
    """A backup that is read; use it in a `with`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._members: dict[str, tuple[int, int]] = {}

    def __enter__(self) -> Self:
        try:
            self._file = self.path.open("rb")
        except OSError as error:
            raise BackupUnfit(f"can't read the backup {self.path}: {error.strerror or error}") from None
        try:
            self._members = dict(self._index())
            if SUMS not in self._members:
                raise BackupUnfit(f"the backup {self.path} is not whole: it ends without {SUMS}")
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _index(self) -> Iterator[tuple[str, tuple[int, int]]]:
        size, at = os.fstat(self._file.fileno()).st_size, 0
        while True:
            self._file.seek(at)
            block = self._file.read(_BLOCK)
            if block == bytes(_BLOCK):
                return
            try:
                member = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
            except (tarfile.HeaderError, UnicodeDecodeError, ValueError):
                if not at:
                    raise BackupUnfit(f"{self.path} is not a backup") from None
                what = "is cut short" if len(block) < _BLOCK else "is damaged"
                raise BackupUnfit(f"the backup {self.path} {what} at byte {at}") from None
            begins = at + _BLOCK
            at = begins + member.size + -member.size % _BLOCK
            if at > size:
                raise BackupUnfit(
                    f"the backup {self.path} is cut short: {member.name} ends at byte {at}, the file at {size}"
                )
            yield member.name, (begins, member.size)

    def read(self, name: str) -> bytes:
        """The content of a small member. Raises: `BackupUnfit`."""
        if name not in self._members:
            raise BackupUnfit(f"the backup {self.path} is damaged: it has no {name}")
        return b"".join(self.chunks(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of a member in pieces."""
        at, left = self._members[name]
        while left:
            self._file.seek(at)
            chunk = self._file.read(min(left, _READ_BYTES))
            if not chunk:
                raise BackupUnfit(f"the backup {self.path} is cut short in {name}")
            at, left = at + len(chunk), left - len(chunk)
            yield chunk

    @property
    def size_bytes(self) -> int:
        """All that `verify` reads."""
        return sum(size for _, size in self._members.values())

    def verify(self, progress: Callable[[int], None] = lambda done: None) -> None:
        """Compares every member with its checksum; `progress` is told the bytes read. Raises: `BackupUnfit`."""
        try:
            lines = [line.partition("  ") for line in self.read(SUMS).decode().splitlines()]
        except UnicodeDecodeError:
            raise BackupUnfit(f"the backup {self.path} is damaged: {SUMS} can't be read") from None
        sums = {name: sum for sum, _, name in lines}
        if odd := sorted(sums.keys() ^ (self._members.keys() - {SUMS})):
            raise BackupUnfit(f"the backup {self.path} is damaged: {odd[0]!r} is not both in it and in {SUMS}")
        done = 0
        for name, sum in sums.items():
            found = hashlib.sha256()
            for chunk in self.chunks(name):
                found.update(chunk)
                done += len(chunk)
                progress(done)
            if found.hexdigest() != sum:
                raise BackupUnfit(f"the backup {self.path} is damaged: {name} does not have its checksum")


def sweep_parts(folder: Path) -> None:
    """Removes what interrupted backups left in this folder; what is being written stays."""
    for part in folder.glob(f".*{_PART}*"):
        with suppress(OSError):
            file = os.open(part, os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                part.unlink()
            finally:
                os.close(file)
