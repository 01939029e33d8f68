"""Files and large values: streamed in, streamed out, whole or in ranges."""

from collections.abc import AsyncIterator
from typing import Any

from litestar import Controller, Request, get, put
from litestar.response import Stream

from clawactors.app.web.answers import begun
from clawactors.app.web.parameters import Claw, InPath
from clawactors.app.web.ranges import Range, RangeHeader, attachment, range_of
from clawactors.eventlog import Missing
from clawactors.kernel.errors import NotFound
from clawactors.systems.tasks.files import StoredFile

__all__ = ["FileRoutes", "TaskFileRoutes"]

_BYTES = "application/octet-stream"


class FileRoutes(Controller):
    """Files that tasks are given, and stored values."""

    path = "/"
    tags = ["files"]  # noqa: RUF012 # as litestar declares it

    @put("/files/{name:str}", operation_id="files.put", status_code=201, request_max_body_size=None)
    async def put(self, request: Request[Any, Any, Any], claw: Claw, name: InPath) -> StoredFile:
        """Stores the body, of any size, as a file; the answer may stand among the parameters of a task."""
        return await claw.files.put(name, request.stream())

    @get("/blobs/{name:str}", operation_id="blob", media_type=_BYTES)
    async def blob(self, claw: Claw, name: InPath, wanted: RangeHeader = "") -> Stream:
        """The bytes of a stored value, whole or in a range."""
        try:
            body = await claw.blob(name)
        except Missing as error:
            raise NotFound(str(error)) from None
        part = range_of(wanted, len(body))

        async def bytes_of() -> AsyncIterator[bytes]:
            yield body[part.start : part.end]

        return _download(bytes_of(), name, part)


class TaskFileRoutes(Controller):
    """The files of a task."""

    path = "/tasks/{id:str}/files"
    tags = ["files"]  # noqa: RUF012 # as litestar declares it

    @get("/{name:str}", operation_id="files.read", media_type=_BYTES)
    async def read(self, claw: Claw, id: InPath, name: InPath, wanted: RangeHeader = "") -> Stream:
        """A file of the task by its name, or by the parameter that holds it, whole or in a range."""
        file = (await claw.files.row(id, name)).file
        part = range_of(wanted, file.size_bytes)
        pieces = await begun(claw.files.read(file, part.start, part.end))
        return _download(pieces, file.name, part)


def _download(body: AsyncIterator[bytes], name: str, part: Range) -> Stream:
    return Stream(body, status_code=206 if part.is_part else 200, media_type=_BYTES, headers=attachment(name, part))
