"""Tools that show the cluster at a past moment, and what has moved to the archive."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from clawactors.app.mcp.calling import CallContext
from clawactors.app.mcp.cutting import fitted, sparse
from clawactors.app.mcp.shapes import ANSWER, TASKS, listed
from clawactors.app.mcp.tooling import Moment, Names, PastMoment, mcp_tool, past
from clawactors.runtime.client.past import PastCluster
from clawactors.runtime.client.rows import Page

__all__ = ["TOOLS"]

type _Limit = Annotated[int, Meta(ge=1, le=1000, description="At most so many")]


async def _then(call: CallContext, at: str) -> PastCluster:
    return (await call.client()).at(past(at))


@mcp_tool("List tasks of the past", "past", returns=TASKS)
async def past_tasks(
    call: CallContext,
    *,
    at: PastMoment,
    status: Names = [],  # noqa: B006 # read for its type only
    skill: str = "",
    text: str = "",
    limit: _Limit = 20,
    cursor: str = "",
) -> dict[str, Any]:
    """Lists the tasks of a past moment, newest first. The first question about a moment takes a while."""
    then = await _then(call, at)
    page = await then.tasks(status=status, skill=skill, text=text, limit=limit, cursor=cursor)
    return call.rows("tasks", page)


@mcp_tool("Show the status of the past", "past", returns=ANSWER)
async def past_status(call: CallContext, *, at: PastMoment) -> dict[str, Any]:
    """Shows the tasks and nodes of a past moment, by status."""
    return sparse(await (await _then(call, at)).status())


@mcp_tool("List nodes of the past", "past", returns=listed("nodes"))
async def past_nodes(call: CallContext, *, at: PastMoment) -> dict[str, Any]:
    """Lists the nodes of a past moment."""
    rows = await (await _then(call, at)).nodes()
    return call.rows("nodes", rows)


@mcp_tool("Show statistics of the past", "past", returns=ANSWER)
async def past_stats(call: CallContext, *, at: PastMoment, limit: _Limit = 10) -> dict[str, Any]:
    """Counts the tasks of a past moment by status, skill, node, user and error."""
    found = await (await _then(call, at)).statistics(limit=limit)
    return fitted(msgspec.to_builtins(found), call.options.limit_chars)


@mcp_tool("List archived tasks", "past", returns=TASKS)
async def archived_tasks(
    call: CallContext,
    *,
    ended: Annotated[Names, Meta(description="completed, failed, cancelled, dead, deleted")] = [],  # noqa: B006
    skill: str = "",
    user: str = "",
    since: Moment = "",
    until: Moment = "",
    limit: _Limit = 20,
    cursor: str = "",
) -> dict[str, Any]:
    """Lists tasks that have moved to the archive, newest first."""
    page = await (await call.client()).archived(
        ended=ended,
        skill=skill,
        user=user,
        since=since or None,
        until=until or None,
        limit=limit,
        cursor=cursor,
        fresh=not cursor,
    )
    rows = tuple({"status": "archived"} | sparse(row) for row in page)
    return call.rows("tasks", Page(rows, page.cursor))


TOOLS: Final = (past_tasks, past_status, past_nodes, past_stats, archived_tasks)
