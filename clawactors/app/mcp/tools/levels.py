"""Tools for what memory is made of: facts, the newest events, the working memory of a task, and how much there is."""

from typing import Annotated, Any, Final

from msgspec import Meta

from clawactors.app.mcp.calling import CallContext
from clawactors.app.mcp.cutting import fitted
from clawactors.app.mcp.shapes import ANSWER, listed
from clawactors.app.mcp.tooling import Moment, TaskId, mcp_tool

__all__ = ["TOOLS"]


@mcp_tool("List facts about a name", "memory", returns=listed("facts"))
async def about(
    call: CallContext,
    *,
    name: Annotated[str, Meta(description="A person, a machine, a project: whatever facts are about")],
    owner: str = "",
    depth: Annotated[int, Meta(ge=1, le=5, description="Also facts that are so many steps away")] = 1,
) -> dict[str, Any]:
    """Lists what memory knows about a name, as facts, with their sources."""
    rows = await (await call.client()).memories.about(name, owner=owner, depth=depth)
    return fitted({"facts": rows}, call.options.limit_chars)


@mcp_tool("List the newest events of memory", "details", returns=listed("events"))
async def recent(call: CallContext, *, limit: Annotated[int, Meta(ge=1, le=1000)] = 50) -> dict[str, Any]:
    """Lists the newest events that memories are made of."""
    return fitted({"events": await (await call.client()).memories.recent(limit)}, call.options.limit_chars)


@mcp_tool("Get the working memory of a task", "details", returns=ANSWER)
async def working_memory(
    call: CallContext, *, id: TaskId, tokens: Annotated[int, Meta(ge=50, le=50_000, description="The budget")] = 1000
) -> dict[str, Any]:
    """Gets what a task has at hand, packed into a budget of tokens."""
    return fitted(await (await call.client()).memories.working(id, budget=tokens), call.options.limit_chars)


@mcp_tool("Count memories", "details", returns=ANSWER)
async def memory_stats(call: CallContext) -> dict[str, Any]:
    """Counts memories by kind, status, owner and origin, and says how far memory has read the log."""
    return fitted(await (await call.client()).memories.statistics(), call.options.limit_chars)


@mcp_tool("Consolidate memory", "care", "change", returns=ANSWER)
async def consolidate(call: CallContext, *, since: Moment = "") -> dict[str, Any]:
    """Makes summaries and facts of what was remembered since then, by default of all."""
    return fitted(await (await call.client()).memories.consolidate(since or None), call.options.limit_chars)


TOOLS: Final = (about, recent, working_memory, memory_stats, consolidate)
