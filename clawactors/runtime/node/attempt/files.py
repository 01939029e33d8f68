"""The files of one attempt: those that its task was given, fetched when they are used, and those that it makes."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncGenerator, Buffer, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clawactors.eventlog import Corrupt, Missing
from clawactors.kernel.errors import Refused
from clawactors.runtime.files import FileSource, put_file, read_file, write_file
from clawactors.runtime.node.codetasks import at_work
from clawactors.runtime.node.filefolder import new_folder
from clawactors.systems.tasks.files import StoredFile, checked_name, files_in, stored_file

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["FILE_CALLS", "AttemptFiles", "in_step", "inside_step"]

FILE_CALLS: Final = frozenset(("find", "local_path", "save"))
"""Methods of `AttemptFiles` that sync code calls over its bridge."""

inside_step: Final[ContextVar[bool]] = ContextVar("inside_step", default=False)
"""True in the function of a step: what it saves is recorded with its result."""

_STEP: Final = "file "


class in_step:  # noqa: N801 - a class, since each step enters it: a generator takes twice as long
    """While it lasts, the code is in the function of a step."""

    __slots__ = ("_outer",)

    def __enter__(self) -> None:
        self._outer = inside_step.get()
        inside_step.set(True)

    def __exit__(self, *raised: object) -> None:
        inside_step.set(self._outer)


class _PatientBlobs:
    """The object store, asked again while it does not answer."""

    def __init__(self, attempt: "Attempt") -> None:
        self._attempt = attempt

    async def put(self, body: Buffer) -> str:
        blobs = self._attempt.supplies.payloads.blobs
        return await self._attempt.retry_while_unavailable(lambda: blobs.put(body))

    async def get(self, name: str) -> bytes:
        blobs = self._attempt.supplies.payloads.blobs
        return await self._attempt.retry_while_unavailable(lambda: blobs.get(name))


class AttemptFiles:
    """See `TaskContext.file` and `TaskContext.save_file`."""

    def __init__(self, attempt: "Attempt") -> None:
        self._attempt = attempt
        self._blobs = _PatientBlobs(attempt)
        self._folder = ""
        self._fetched: dict[StoredFile, asyncio.Lock] = {}
        self._paths: dict[StoredFile, str] = {}

    def find(self, name: str | StoredFile | Mapping[str, Any]) -> StoredFile:
        """The file of that parameter, of that name in the parameters, or of that reference. Raises: `Refused`."""
        if not isinstance(name, str):
            return stored_file(name)
        given = dict(files_in(self._attempt.params))
        for path, file in given.items():
            if name in (path, file.name):
                return file
        raise Refused(f"task {self._attempt.id} was given no file {name!r}; it has {', '.join(given) or 'none'}")

    def read(self, file: StoredFile, start: int, end: int | None) -> AsyncGenerator[bytes]:
        """Its bytes in pieces. Raises: `Missing`, `Corrupt`, `Unavailable`."""
        return read_file(self._blobs, file, start, end)

    @at_work
    async def local_path(self, file: StoredFile | Mapping[str, Any]) -> str:
        """Where it lies on this machine until the attempt ends. Raises: as `read`; `OSError`."""
        stored = self.find(file)
        async with self._fetched.setdefault(stored, asyncio.Lock()):
            if stored not in self._paths:
                if not self._folder:
                    self._folder = await asyncio.to_thread(new_folder)
                folder = os.path.join(self._folder, stored.sha256[:16])  # the same in each attempt
                await asyncio.to_thread(os.makedirs, folder, 0o700, exist_ok=True)
                path = os.path.join(folder, stored.name)
                await self._fetch(stored, path)
                self._paths[stored] = path
            return self._paths[stored]

    async def _fetch(self, file: StoredFile, path: str) -> None:
        try:
            with open(path, "wb") as out:  # noqa: ASYNC230 - a local file that nobody else has open
                await write_file(self._blobs, file, out)
        except (Missing, Corrupt) as error:
            await self._attempt.block(f"the file {file.name!r} can't be loaded: {error}")

    async def save(self, name: str, source: FileSource, within_step: bool | None = None) -> dict[str, Any]:
        """See `TaskContext.save_file`."""
        checked_name(name)
        if inside_step.get() if within_step is None else within_step:
            return await self._put(name, source)
        return await self._save(name, source)

    @at_work
    async def _put(self, name: str, source: FileSource) -> dict[str, Any]:
        self._attempt.check()
        stored: dict[str, Any] = msgspec.to_builtins(await put_file(self._blobs, name, source))
        return stored

    @at_work
    async def _save(self, name: str, source: FileSource) -> dict[str, Any]:
        """As a step of its own."""
        attempt = self._attempt
        steps, clock = attempt.steps, attempt.clock
        step = steps.names.next(_STEP + name, attempt.tasks.current().path)
        done, result = await steps.begin(step, "")
        if not done:
            started_s = clock.monotonic_s()
            try:
                result = await self._put(name, source)
            except Exception as error:
                await steps.fail(step, error, clock.monotonic_s() - started_s)
                raise
            await steps.end(step, result, clock.monotonic_s() - started_s)
        stored: dict[str, Any] = result
        return stored

    async def close(self) -> None:
        """Removes what lies on this machine."""
        if self._folder:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
