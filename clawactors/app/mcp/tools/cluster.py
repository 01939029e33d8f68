"""Tools for the cluster: nodes, status, statistics."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from clawactors.app.mcp.calling import CallContext
from clawactors.app.mcp.cutting import fitted, sparse
from clawactors.app.mcp.shapes import ANSWER, listed, shape
from clawactors.app.mcp.tooling import Moment, Names, mcp_tool

__all__ = ["TOOLS"]

_DIMENSIONS: Final = "skill, node, user, tag, error, hour"


@mcp_tool("List nodes", "cluster", returns=listed("nodes", shape({"id": {"type": "string"}})))
async def nodes(
    call: CallContext,
    *,
    status: Annotated[str, Meta(description="online, busy, draining, cordoned, offline")] = "",
    skill: Annotated[str, Meta(description="That offer this skill")] = "",
    available: Annotated[bool, Meta(description="That take work and have a free slot")] = False,
) -> dict[str, Any]:
    """Lists the nodes: status, skills, slots, load."""
    rows = await (await call.client()).nodes(status=status, skill=skill, available=available)
    return call.rows("nodes", rows)


@mcp_tool("Show the cluster's status", "cluster", returns=ANSWER)
async def status(call: CallContext) -> dict[str, Any]:
    """Shows tasks and nodes by status, the log, faults and the last backup."""
    return sparse(await (await call.client()).status())


@mcp_tool("Show the cluster at a glance", "cluster", returns=ANSWER)
async def overview(
    call: CallContext, *, window_s: Annotated[int, Meta(ge=1, le=300, description="Of so many seconds")] = 60
) -> dict[str, Any]:
    """Shows what happens now: rates a second, waits, durations, queue, errors by class, disk, trouble."""
    return sparse(await (await call.client()).overview(window_s=window_s))


@mcp_tool("Show statistics", "cluster", returns=ANSWER)
async def stats(
    call: CallContext,
    *,
    by: Annotated[Names, Meta(description=f"By which dimensions: {_DIMENSIONS}")] = [],  # noqa: B006
    since: Moment = "",
    until: Moment = "",
    limit: Annotated[int, Meta(ge=1, le=1000, description="So many values of each")] = 10,
) -> dict[str, Any]:
    """Counts tasks by status, skill, node, user, tag, error and hour, and says how long they took."""
    client = await call.client()
    wanted = {"by": by} if by else {}
    found = await client.statistics(since=since or None, until=until or None, limit=limit, fresh=True, **wanted)
    answer = msgspec.to_builtins(found) | {"sizes": msgspec.to_builtins(await client.sizes())}
    return fitted({name: value for name, value in answer.items() if value}, call.options.limit_chars)


@mcp_tool("Get a stored value", "details", returns=shape({"text": {"type": "string"}}))
async def blob(
    call: CallContext,
    *,
    name: Annotated[str, Meta(description="The name in a reference, as in {blob: NAME, bytes: N}")],
    offset: Annotated[int, Meta(ge=0)] = 0,
    limit: Annotated[int, Meta(ge=1, le=100_000)] = 20_000,
) -> dict[str, Any]:
    """Gets a large value that a task has stored, as text, page by page."""
    stored = await (await call.client()).blob(name)
    text = stored[offset : offset + limit].decode("utf-8", "replace")
    answer = {"text": text, "offset": offset, "bytes": len(stored)}
    return answer | ({"next_offset": offset + limit} if offset + limit < len(stored) else {})


TOOLS: Final = (nodes, status, overview, stats, blob)
