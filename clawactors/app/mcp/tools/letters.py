"""Tools for what came to nothing and waits for a person, and for the events of the whole log."""

from contextlib import aclosing
from typing import Annotated, Any, Final, Literal

from msgspec import Meta

from clawactors.app.mcp.calling import CallContext
from clawactors.app.mcp.cutting import fitted, sparse
from clawactors.app.mcp.shapes import CHANGES, listed, shape
from clawactors.app.mcp.tooling import Moment, Names, mcp_tool

__all__ = ["TOOLS"]

_ID: Final = shape({"id": {"type": "string"}})

type _Limit = Annotated[int, Meta(ge=1, le=1000, description="At most so many")]


@mcp_tool("List dead letters", "details", returns=listed("dead_letters", _ID))
async def dead_letters(
    call: CallContext,
    *,
    kind: Annotated[Names, Meta(description="task, delivery, command, record")] = [],  # noqa: B006 # for its type
    skill: str = "",
    error: Annotated[str, Meta(description="A class of errors, as in ConnectionError")] = "",
    since: Moment = "",
    limit: _Limit = 50,
    cursor: str = "",
) -> dict[str, Any]:
    """Lists what came to nothing and waits for a person: dead tasks, failed deliveries, refused commands."""
    page = await (await call.client()).dead_letters.list(
        kind=kind, skill=skill, error=error, since=since or None, limit=limit, cursor=cursor
    )
    return call.rows("dead_letters", page)


@mcp_tool("Get a dead letter", "details", returns=_ID)
async def get_dead_letter(
    call: CallContext, *, id: Annotated[str, Meta(description="As dead_letters gives it")]
) -> dict[str, Any]:
    """Gets one of what came to nothing, with what it says and why."""
    return fitted({"id": id} | sparse(await (await call.client()).dead_letters.get(id)), call.options.limit_chars)


@mcp_tool("Try dead letters again, or drop them", "details", "destroy", returns=CHANGES)
async def change_dead_letters(
    call: CallContext,
    *,
    ids: Annotated[Names, Meta(min_length=1, max_length=1000, description="As dead_letters gives them")],
    change: Literal["redrive", "drop"],
) -> dict[str, Any]:
    """Tries again what came to nothing, or keeps it no longer. Needs a person."""
    of = (await call.client()).dead_letters
    reports = await (of.redrive(ids) if change == "redrive" else of.drop(ids))
    return call.rows("changes", reports)


@mcp_tool("List events of the log", "details", returns=listed("events"))
async def events(
    call: CallContext,
    *,
    after: Annotated[int, Meta(ge=0, description="The sequence after which they begin; status has the last one")],
    types: Annotated[Names, Meta(description="Only of these types, as in task.dead")] = [],  # noqa: B006
    task: str = "",
    skill: str = "",
    user: str = "",
    limit: _Limit = 100,
) -> dict[str, Any]:
    """Lists the events behind a sequence of the log, oldest first: what happened, to what, who did it."""
    found: list[dict[str, Any]] = []
    stream = (await call.client()).events(after, types=types, task=task, skill=skill, user=user, live=False)
    async with aclosing(stream) as log:
        async for event in log:
            found.append(sparse(event))
            if len(found) == limit:
                break
    return fitted({"events": found}, call.options.limit_chars)


TOOLS: Final = (dead_letters, get_dead_letter, change_dead_letters, events)
