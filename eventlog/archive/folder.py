"""Archive files in a folder: written beside their name, synced, then renamed, so that a name is always a whole file."""

import asyncio
import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from clawactors.eventlog.archive.store import absent
from clawactors.eventlog.errors import Misconfigured, Unavailable

__all__ = ["FolderStore"]

_UNFINISHED: Final = ".unfinished"
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


class FolderStore:
    """Files of one folder, which is made with the first of them; only its owner reads them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def put(self, name: str, content: BinaryIO) -> None:
        """Stores what the file holds from its present position on. See `ArchiveStore`."""
        await asyncio.to_thread(self._put, name, content)

    def _put(self, name: str, content: BinaryIO) -> None:
        new = self.path / f"{name}{_UNFINISHED}"
        with self._explained(name):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
                with os.fdopen(handle, "wb") as file:
                    shutil.copyfileobj(content, file, 1 << 20)
                    file.flush()
                    os.fsync(file.fileno())
                new.replace(self.path / name)
            except BaseException:
                new.unlink(missing_ok=True)
                raise
            self._sync()

    async def size(self, name: str) -> int:
        """Its size in bytes. Raises: `Missing`, `Unavailable`, `Misconfigured`."""
        with self._explained(name):
            return (self.path / name).stat().st_size

    async def read(self, name: str, offset: int, size: int) -> bytes:
        """So many bytes from there, fewer at its end. Raises: `Missing`, `Unavailable`, `Misconfigured`."""
        return await asyncio.to_thread(self._read, name, offset, size)

    def _read(self, name: str, offset: int, size: int) -> bytes:
        with self._explained(name), (self.path / name).open("rb") as file:
            file.seek(offset)
            return file.read(size)

    async def names(self) -> list[str]:
        """All files, in the order of their names."""
        return self.present()

    def present(self) -> list[str]:
        """The same, without waiting."""
        with self._explained(""):
            if not self.path.is_dir():
                return []
            return sorted(each.name for each in self.path.iterdir() if not each.name.endswith(_UNFINISHED))

    async def remove(self, name: str) -> None:
        """Removes it. Order: idempotent."""
        with self._explained(name):
            (self.path / name).unlink(missing_ok=True)
            if self.path.is_dir():
                self._sync()

    def _sync(self) -> None:
        """Makes the names in the folder durable."""
        handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def _explained(self, name: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise absent(name) from None
        except OSError as error:
            if error.errno in _FULL:
                raise Unavailable(f"the archive {self.path} can't grow: the disk is full, free some space") from error
            raise Misconfigured(f"the archive {self.path} can't be used: {error.strerror or error}") from error
