"""The log of a process: what it and the programs of its skills write, through a pipe into files that rotate by size.

1. A file has at most `LOG_BYTES`; the newest is `NAME.log`, then come `NAME.log.1` … `NAME.log.4`.
2. A file that was moved or deleted is begun anew with the next text.
3. The reader is a thread, so that nobody who writes waits for an event loop.
"""

import atexit
import contextlib
import os
import threading
from pathlib import Path
from typing import Final

__all__ = ["LOG_BYTES", "LOG_FILES", "LogPipe"]

LOG_BYTES: Final = 20 << 20
LOG_FILES: Final = 5

_CHUNK_BYTES: Final = 1 << 16
_DRAIN_S: Final = 1.0


class LogPipe:
    """`writes` is for standard error of one process, until `close_writes`; the thread reads on while anybody writes.

    Raises: `OSError` where the file can't be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = self._open()
        self._size = os.fstat(self._file).st_size
        reads, self.writes = os.pipe()
        self._thread = threading.Thread(target=self._read, args=(reads,), name=f"log {path.name}", daemon=True)
        self._thread.start()

    def close_writes(self) -> None:
        """Closes the end of this process."""
        if self.writes >= 0:
            os.close(self.writes)
            self.writes = -1

    def drain(self) -> None:
        """Returns when all is in the file, or after 1 s while a program still holds the pipe."""
        self.close_writes()
        self._thread.join(_DRAIN_S)

    def take_over(self, fd: int) -> None:
        """What is written to this descriptor goes here, until the interpreter ends: then straight into the file."""
        os.dup2(self.writes, fd)
        self.close_writes()
        atexit.register(self._give_back, fd)

    def _give_back(self, fd: int) -> None:
        file = self._open()
        os.dup2(file, fd)
        os.close(file)
        self.drain()

    def _open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def _read(self, reads: int) -> None:
        try:
            while chunk := os.read(reads, _CHUNK_BYTES):
                with contextlib.suppress(OSError):  # a full disk: what can't be kept is lost, and nobody hangs
                    self._write(chunk)
        finally:
            os.close(reads)
            os.close(self._file)

    def _write(self, chunk: bytes) -> None:
        if self._size and self._size + len(chunk) > LOG_BYTES:
            self._rotate()
        elif self._was_moved():
            self._reopen()
        while chunk:
            written = os.write(self._file, chunk)
            self._size += written
            chunk = chunk[written:]

    def _was_moved(self) -> bool:
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            return True
        ours = os.fstat(self._file)
        return (there.st_ino, there.st_dev) != (ours.st_ino, ours.st_dev)

    def _rotate(self) -> None:
        for number in range(LOG_FILES - 1, 0, -1):
            older = self.path if number == 1 else self._numbered(number - 1)
            with contextlib.suppress(FileNotFoundError):
                os.replace(older, self._numbered(number))
        self._reopen()

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")

    def _reopen(self) -> None:
        self.path.parent.mkdir(exist_ok=True)
        opened = self._open()
        os.close(self._file)
        self._file, self._size = opened, os.fstat(opened).st_size
