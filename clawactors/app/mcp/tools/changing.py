"""Tools that change tasks, and answer what they ask people for."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from msgspec import Meta

from clawactors.app.mcp.calling import CallContext
from clawactors.app.mcp.cutting import fitted, sparse
from clawactors.app.mcp.following import task_answer
from clawactors.app.mcp.ownership import is_own
from clawactors.app.mcp.shapes import CHANGES, TASK, listed, shape
from clawactors.app.mcp.tooling import Moment, Names, TaskId, mcp_tool
from clawactors.app.problem import Problem
from clawactors.runtime.client.listing import TaskFilters

__all__ = ["TOOLS"]

type _Name = Annotated[str, Meta(description="Which approval, where the task asks for several")]
type _Comment = Annotated[str, Meta(description="Why, for the record")]


async def _is_there(call: CallContext, arguments: Mapping[str, Any]) -> None:
    await (await call.client()).snapshot(arguments["id"], brief=True)


async def _is_asked(call: CallContext, arguments: Mapping[str, Any]) -> None:
    client, id = await call.client(), arguments["id"]
    if (await client.snapshot(id, brief=True)).state.life.approvals:
        return
    raise Problem("refused", f"task {id} asks for no approval now", "approvals lists what is asked")


async def _is_for_others(call: CallContext, arguments: Mapping[str, Any]) -> None:
    id = arguments["id"]
    if not call.options.approve_own and await is_own(await call.client(), id):
        own = f"task {id} was submitted by this agent, which can't approve it"
        raise Problem("refused", own, f"a person answers with `claw approve {id}`")
    await _is_asked(call, arguments)


@mcp_tool("Cancel a task", "tasks", "destroy", idempotent=True, returns=TASK, check=_is_there)
async def cancel(
    call: CallContext,
    *,
    id: TaskId,
    undo: Annotated[bool, Meta(description="Undo its completed steps first")] = False,
    now: Annotated[bool, Meta(description="Give its code no time to clean up")] = False,
) -> dict[str, Any]:
    """Cancels a task; running code cleans up first. Needs a person."""
    await (await call.client()).cancel(id, undo=undo, now=now)
    return await task_answer(call, id, waited=True)


@mcp_tool("Pause a task", "tasks", "change", idempotent=True, returns=TASK)
async def pause(call: CallContext, *, id: TaskId) -> dict[str, Any]:
    """Pauses a task; running code stops at its next step. resume lets it go on."""
    await (await call.client()).pause(id)
    return await task_answer(call, id)


@mcp_tool("Resume a task", "tasks", "change", idempotent=True, returns=TASK)
async def resume(call: CallContext, *, id: TaskId) -> dict[str, Any]:
    """Resumes a paused task."""
    await (await call.client()).resume(id)
    return await task_answer(call, id)


@mcp_tool("Retry a task", "tasks", "change", returns=TASK)
async def retry(call: CallContext, *, id: TaskId) -> dict[str, Any]:
    """Retries a failed, dead, cancelled or blocked task. Steps that it has completed do not run again."""
    await (await call.client()).retry(id)
    return await task_answer(call, id)


@mcp_tool("Send a signal", "tasks", "change", returns=TASK)
async def signal(
    call: CallContext,
    *,
    id: TaskId,
    name: Annotated[str, Meta(description="The name that the code of the task waits for")],
    payload: Annotated[Any, Meta(description="Any JSON value")] = None,
) -> dict[str, Any]:
    """Sends a task a signal; signals are kept in order until its code takes them."""
    await (await call.client()).signal(id, name, payload)
    return await task_answer(call, id)


@mcp_tool("Delete a task", "details", "destroy", idempotent=True, returns=TASK, check=_is_there)
async def delete_task(call: CallContext, *, id: TaskId) -> dict[str, Any]:
    """Deletes a task that no node runs; its history stays. Needs a person."""
    known = await (await call.client()).delete(id)
    spec = known.state.spec
    return {"id": id, "status": known.state.life.status, "skill": spec.skill if spec else ""}


@mcp_tool("List approvals", "tasks", returns=listed("approvals", shape({"task": {"type": "string"}})))
async def approvals(call: CallContext, *, by: str = "", limit: int = 100) -> dict[str, Any]:
    """Lists what tasks ask people for; with `by`, what this user may answer. Show them to the person."""
    rows = await (await call.client()).approvals(by=by, limit=limit)
    return call.rows("approvals", rows)


@mcp_tool("Approve", "tasks", "destroy", returns=TASK, check=_is_for_others)
async def approve(call: CallContext, *, id: TaskId, name: _Name = "", comment: _Comment = "") -> dict[str, Any]:
    """Approves what a task asks for, for a person who has said so. Refused for tasks that this agent has submitted."""
    await (await call.client()).approve(id, name, comment)
    return await task_answer(call, id)


@mcp_tool("Deny", "tasks", "destroy", returns=TASK, check=_is_asked)
async def deny(call: CallContext, *, id: TaskId, name: _Name = "", comment: _Comment = "") -> dict[str, Any]:
    """Denies what a task asks for, for a person who has said so."""
    await (await call.client()).deny(id, name, comment)
    return await task_answer(call, id)


@mcp_tool("Change many tasks", "details", "destroy", returns=CHANGES)
async def change_tasks(
    call: CallContext,
    *,
    change: Annotated[
        Literal["cancel", "pause", "resume", "retry", "redrive", "delete"],
        Meta(description="redrive retries dead tasks, and leaves alone what has moved on"),
    ],
    ids: Annotated[Names, Meta(max_length=1000, description="Ids of tasks, or a filter instead")] = [],  # noqa: B006
    status: Names = [],  # noqa: B006 # read for its type only
    skill: str = "",
    user: str = "",
    tag: str = "",
    error: Annotated[str, Meta(description="A class of errors, as in ConnectionError")] = "",
    text: str = "",
    since: Moment = "",
    until: Moment = "",
    limit: Annotated[int, Meta(ge=1, le=1000, description="At most so many, newest first")] = 100,
    rate_per_s: Annotated[float, Meta(ge=0, description="At most so many a second; 0 for no limit")] = 0,
    dry_run: Annotated[bool, Meta(description="Only tell which")] = False,
) -> dict[str, Any]:
    """Makes the same change to many tasks, by ids or a filter; a refusal does not stop the others. Needs a person."""
    wanted: TaskFilters = {"status": status, "skill": skill, "user": user, "tag": tag, "error": error, "text": text}
    wanted |= {"since": since or None, "until": until or None}
    done = await (await call.client()).change_tasks(
        change, ids=ids, limit=limit, dry_run=dry_run, rate_per_s=rate_per_s or None, **wanted
    )
    told = sparse(done)
    rows = [sparse(row) for row in told.pop("rows", [])]
    return fitted(told | {"changes": rows}, call.options.limit_chars)


TOOLS: Final = (
    cancel,
    pause,
    resume,
    retry,
    signal,
    delete_task,
    approvals,
    approve,
    deny,
    change_tasks,
)
