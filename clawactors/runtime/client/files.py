"""The files of tasks: put, listed, read, and written to disk."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from clawactors.kernel.errors import NotFound, Refused
from clawactors.runtime.files import FileSource, put_file, read_file, write_file
from clawactors.runtime.naming import new_id
from clawactors.runtime.payloads import BlobAccess
from clawactors.systems.tasks.files import StoredFile, checked_name, files_in, stored_file
from clawactors.systems.tasks.payload import is_reference

if TYPE_CHECKING:
    from clawactors.runtime.client.reader import ClusterReader

__all__ = ["FileRow", "TaskFiles", "with_files"]


class FileRow(msgspec.Struct, frozen=True, omit_defaults=True, rename={"size_bytes": "bytes", "origin": "from"}):
    """A file of a task: one that it was given, or has made.

    `at` is the parameter, the step, or the path in the result that holds it; `file` is its reference.
    """

    name: str
    size_bytes: int
    sha256: str
    origin: Literal["params", "step", "result"]
    at: str
    file: StoredFile


class TaskFiles:
    """`Client.files`. A file is given by its reference, a `StoredFile` or what stands for it in JSON."""

    def __init__(self, client: "ClusterReader") -> None:
        self._client = client
        self._blobs = client.payloads.blobs

    async def put(
        self, name: str, source: FileSource, *, progress: Callable[[int], None] = lambda size_bytes: None
    ) -> StoredFile:
        """Stores a file, of any size; its reference may stand in parameters.

        `source` is a path, bytes, an open file, or an async iterator of bytes. What no task names within the age of a
        sweep is removed by it; `progress` is told how many bytes are stored.
        Raises: `Refused` (name, source), `Unavailable`.
        """
        return await put_file(self._blobs, name, source, progress)

    def read(
        self, file: StoredFile | Mapping[str, Any], start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes]:
        """The bytes from `start` up to `end`, in pieces of at most a few MB.

        Raises: `Refused` (no file), `Missing` (swept, erased), `Corrupt` (not what was put), `Unavailable`.
        """
        return read_file(self._blobs, stored_file(file), start, end)

    async def of(self, id: str) -> list[FileRow]:
        """The files of a task: those it was given, those its steps have made, those in its result; each once.

        Raises: `NotFound`, `Unavailable`.
        """
        row = await self._client.task(id)
        found: dict[StoredFile, FileRow] = {}
        for origin, place, value in (
            ("params", "", row.params),
            *(("step", step.name, step.result) for step in row.steps or ()),
            ("result", "", row.result),
        ):
            if is_reference(value):
                value = await self._client.payloads.load_payload(value)
            for path, file in files_in(value):
                at = ".".join(part for part in (place, path) if part)
                made = FileRow(file.name, file.size_bytes, file.sha256, origin, at, file)  # type: ignore[arg-type]
                found.setdefault(file, made)
        return list(found.values())

    async def row(self, id: str, name: str) -> FileRow:
        """A file of a task by its name, or by the parameter or the place that holds it; the newest of several.

        Raises: `NotFound`, `Unavailable`.
        """
        rows = await self.of(id)
        for row in reversed(rows):
            if row.name == name or (row.origin == "params" and row.at == name):
                return row
        for row in reversed(rows):
            if row.at == name:
                return row
        known = ", ".join(dict.fromkeys(row.name for row in rows)) or "none"
        raise NotFound(f"task {id} has no file {name!r}; its files: {known}")

    async def download(
        self,
        file: StoredFile | Mapping[str, Any],
        path: str | Path = ".",
        *,
        progress: Callable[[int], None] = lambda size_bytes: None,
    ) -> Path:
        """Writes a file to `path`, under its own name where that is a folder; returns where it is.

        It has its name only once it is whole; what has that name is replaced.
        Raises: as `read`; `OSError` where it can't be written.
        """
        stored = stored_file(file)
        target = await asyncio.to_thread(_target, Path(path), stored.name)
        name = target.with_name(f".claw-{new_id()}.part")
        try:
            with await asyncio.to_thread(name.open, "xb") as out:
                await write_file(self._blobs, stored, out, progress)
            await asyncio.to_thread(os.replace, name, target)  # a link there is replaced, never followed
        except BaseException:
            await asyncio.to_thread(name.unlink, missing_ok=True)
            raise
        return target


async def with_files(
    blobs: BlobAccess, params: Mapping[str, Any], files: Mapping[str, FileSource | StoredFile]
) -> dict[str, Any]:
    """The parameters with the files among them, stored. Raises: `Refused`, `Unavailable`."""
    if taken := sorted(files.keys() & params.keys()):
        raise Refused(f"{taken[0]!r} is given as a parameter and as a file")
    stored: dict[str, Any] = {}
    for name, source in files.items():
        checked_name(name)
        file = source if isinstance(source, StoredFile) else await put_file(blobs, _named(name, source), source)
        stored[name] = msgspec.to_builtins(file)
    return {**params, **stored}


def _target(path: Path, name: str) -> Path:
    path = path.expanduser()
    return path / name if path.is_dir() else path


def _named(name: str, source: FileSource) -> str:
    """What the file is called: as on disk, so that its ending tells what it is."""
    return Path(source).name if isinstance(source, str | Path) else name
