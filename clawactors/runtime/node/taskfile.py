"""A file as the code of a task holds it: `task.file("data")`."""

import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, Buffer, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.attempt.files import inside_step
from clawactors.runtime.node.step import TaskHandle
from clawactors.systems.tasks.files import StoredFile

if TYPE_CHECKING:
    from clawactors.runtime.files import FileSource
    from clawactors.runtime.node.attempt.attempt import Attempt
    from clawactors.runtime.node.attempt.files import AttemptFiles
    from clawactors.runtime.node.bridge import Bridge

__all__ = ["FileCalls", "SyncFileCalls", "SyncTaskFile", "TaskFile", "on_disk"]


class _FileFacts:
    def __init__(self, stored: StoredFile) -> None:
        self.stored = stored
        """What stands for it in parameters and results."""

    @property
    def name(self) -> str:
        """Its name."""
        return self.stored.name

    @property
    def size_bytes(self) -> int:
        """How large it is."""
        return self.stored.size_bytes

    @property
    def sha256(self) -> str:
        """The SHA-256 of its bytes, as 64 hexadecimal digits."""
        return self.stored.sha256

    def __repr__(self) -> str:
        return f"<file {self.name!r}, {self.size_bytes} bytes>"


class TaskFile(_FileFacts):
    """For async code. Each method raises `Missing` where the file was removed, `Corrupt` where it is damaged."""

    def __init__(self, stored: StoredFile, files: "AttemptFiles") -> None:
        super().__init__(stored)
        self._files = files

    async def path(self) -> Path:
        """Where it lies on this machine, under its own name, until the attempt ends."""
        return Path(await self._files.local_path(self.stored))

    async def read(self) -> bytes:
        """All its bytes."""
        return b"".join([part async for part in self.stream()])

    def stream(self, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes]:
        """Its bytes from `start` up to `end`, in pieces of a few MB."""
        return self._files.read(self.stored, start, end)


class SyncTaskFile(_FileFacts):
    """For sync code."""

    def __init__(self, stored: StoredFile, bridge: "Bridge") -> None:
        super().__init__(stored)
        self._bridge = bridge

    def path(self) -> Path:
        """As `TaskFile.path`."""
        return Path(self._bridge.call("local_path", self.stored))

    def read(self) -> bytes:
        """All its bytes."""
        return self.path().read_bytes()

    def open(self) -> IO[bytes]:
        """Opens it for reading."""
        return self.path().open("rb")


@contextmanager
def on_disk(source: Any) -> Iterator[str]:
    """The path of a file with what the source holds, for another process to read. Raises: `Refused`."""
    with tempfile.NamedTemporaryFile() as file:
        if isinstance(source, Buffer):
            file.write(source)
        elif hasattr(source, "read"):
            shutil.copyfileobj(source, file)
        else:
            raise Refused(f"a file is a path, bytes or an open file, not {repr(source)[:40]}")
        file.flush()
        yield file.name


class FileCalls(TaskHandle):
    """For async code."""

    _attempt: "Attempt"

    def file(self, name: str | StoredFile | Mapping[str, Any]) -> TaskFile:
        """A file that the task was given: by its parameter, by its name, or by what stands for it in JSON.

        Raises: `Refused` where there is none.
        """
        files = self._attempt.files
        return TaskFile(files.find(name), files)

    async def save_file(self, name: str, source: "FileSource") -> dict[str, Any]:
        """Keeps a file of any size with the task; returns what stands for it in parameters and results.

        `source` is a path, bytes, an open file, or an async iterator of bytes. It is a step of its own, `file NAME`, so
        it is stored once; in a function of a step it is part of that step, which should return it.
        `claw files ID` and `Ref.files` list it. Raises: `Refused` (name, source).
        """
        return await self._attempt.files.save(name, source)


class SyncFileCalls(TaskHandle):
    """For sync code."""

    _bridge: "Bridge"

    def file(self, name: str | StoredFile | Mapping[str, Any]) -> SyncTaskFile:
        """As `TaskContext.file`."""
        return SyncTaskFile(msgspec.convert(self._bridge.call("find", name), StoredFile), self._bridge)

    def save_file(self, name: str, source: "FileSource") -> dict[str, Any]:
        """As `TaskContext.save_file`."""
        source = os.path.abspath(source) if isinstance(source, str | Path) else source
        saved: dict[str, Any] = self._bridge.call("save", name, source, inside_step.get())
        return saved
