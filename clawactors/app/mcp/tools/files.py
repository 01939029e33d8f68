"""Tools for the files of tasks."""

from typing import Annotated, Any, Final

from msgspec import Meta

from clawactors.app.mcp.calling import CallContext
from clawactors.app.mcp.shapes import listed, shape
from clawactors.app.mcp.tooling import TaskId, mcp_tool

__all__ = ["TOOLS"]

_NAMED: Final = shape({"name": {"type": "string"}})


@mcp_tool("List a task's files", "tasks", returns=listed("files", _NAMED))
async def files(call: CallContext, *, id: TaskId) -> dict[str, Any]:
    """Lists the files of a task: those that it was given, and those that it has made."""
    rows = await (await call.client()).files.of(id)
    return call.rows("files", rows)


@mcp_tool("Read a task's file", "tasks", returns=shape({"text": {"type": "string"}}))
async def read_file(
    call: CallContext,
    *,
    id: TaskId,
    name: Annotated[str, Meta(description="The name of the file, or the parameter that holds it")],
    offset: Annotated[int, Meta(ge=0, description="Where the page begins, in bytes")] = 0,
    limit: Annotated[int, Meta(ge=1, le=100_000, description="How many bytes")] = 20_000,
) -> dict[str, Any]:
    """Reads a file of a task as text, page by page."""
    client = await call.client()
    row = await client.files.row(id, name)
    end = min(offset + limit, row.size_bytes)
    read = b"".join([piece async for piece in client.files.read(row.file, offset, end)]) if offset < end else b""
    answer = {"text": read.decode("utf-8", "replace"), "offset": offset, "bytes": row.size_bytes}
    return answer | ({"next_offset": end} if end < row.size_bytes else {})


TOOLS: Final = (files, read_file)
