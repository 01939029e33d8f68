"""Tools for what happens by itself: schedules, triggers, workflows. What lasts beyond a conversation needs a person."""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from clawactors.app.mcp.calling import CallContext
from clawactors.app.mcp.cutting import fitted, sparse
from clawactors.app.mcp.following import submitted_answer
from clawactors.app.mcp.shapes import ANSWER, TASK, listed, shape
from clawactors.app.mcp.tooling import Names, Payload, mcp_tool, seconds
from clawactors.runtime.client.schedules import schedule_row
from clawactors.runtime.client.triggers import trigger_row

__all__ = ["TOOLS"]

_NAMED: Final = shape({"name": {"type": "string"}})

type _Name = Annotated[str, Meta(description="Its name")]
type _Params = Annotated[Payload, Meta(description="Parameters of the skill")]
type _Version = Annotated[int, Meta(ge=0, description="0 for the newest")]


@mcp_tool("List schedules", "schedules", returns=listed("schedules", _NAMED))
async def schedules(call: CallContext, *, name: str = "") -> dict[str, Any]:
    """Lists the schedules, with when each runs next; with `name`, only that one."""
    client = await call.client()
    rows = [await client.schedules.get(name)] if name else await client.schedules.list()
    return call.rows("schedules", rows)


@mcp_tool("Add a schedule", "schedules", "destroy", returns=_NAMED)
async def add_schedule(
    call: CallContext,
    *,
    name: _Name,
    cron: Annotated[str, Meta(description="Five fields: 0 7 * * *")],
    skill: str,
    params: _Params = {},  # noqa: B006 # read for its type only
    zone: str = "UTC",
    catch_up: Annotated[
        Literal["fire", "skip", "coalesce"], Meta(description="What becomes of times that were missed")
    ] = "coalesce",
) -> dict[str, Any]:
    """Adds a schedule that submits tasks at the times of a cron line. Needs a person."""
    client = await call.client()
    more: dict[str, Any] = {"user": client.user} if client.user else {}
    known = await client.schedules.add(name, cron, skill, params, zone=zone, catch_up=catch_up, **more)
    return sparse(schedule_row(name, known))


@mcp_tool("Change a schedule", "schedules", "destroy", idempotent=True, returns=_NAMED)
async def change_schedule(
    call: CallContext, *, name: _Name, change: Literal["pause", "resume", "remove"]
) -> dict[str, Any]:
    """Pauses, resumes or removes a schedule; its tasks stay. Needs a person."""
    of = (await call.client()).schedules
    changes = {"pause": of.pause, "resume": of.resume, "remove": of.remove}
    return sparse(schedule_row(name, await changes[change](name)))


@mcp_tool("List triggers", "schedules", returns=listed("triggers", _NAMED))
async def triggers(call: CallContext, *, name: str = "") -> dict[str, Any]:
    """Lists the triggers: what happens by itself when something happens; with `name`, only that one."""
    client = await call.client()
    rows = [await client.triggers.get(name)] if name else await client.triggers.list()
    return call.rows("triggers", rows)


@mcp_tool("Add a trigger", "schedules", "destroy", returns=_NAMED)
async def add_trigger(
    call: CallContext,
    *,
    name: _Name,
    on: Annotated[Names, Meta(min_length=1, description="Types of events, as in task.dead")],
    submit: Annotated[str, Meta(description="The skill that a task is submitted of")],
    params: _Params = {},  # noqa: B006
    where: Annotated[str, Meta(description="A condition, in CEL")] = "",
) -> dict[str, Any]:
    """Adds a trigger that submits a task whenever such an event happens. Needs a person."""
    client = await call.client()
    more: dict[str, Any] = {"user": client.user} if client.user else {}
    known = await client.triggers.add(name, on, submit=submit, params=params or None, where=where, **more)
    return sparse(trigger_row(name, known))


@mcp_tool("Change a trigger", "schedules", "destroy", returns=_NAMED)
async def change_trigger(
    call: CallContext, *, name: _Name, change: Literal["pause", "resume", "redrive", "remove"]
) -> dict[str, Any]:
    """Pauses, resumes or removes a trigger, or delivers again what failed. Needs a person."""
    of = (await call.client()).triggers
    changes = {"pause": of.pause, "resume": of.resume, "redrive": of.redrive, "remove": of.remove}
    return sparse(trigger_row(name, await changes[change](name)))


@mcp_tool("List workflows", "schedules", returns=listed("workflows", _NAMED))
async def workflows(call: CallContext) -> dict[str, Any]:
    """Lists the workflows with their parameters."""
    rows = await (await call.client()).workflows.list()
    return call.rows("workflows", rows)


@mcp_tool("Get a workflow", "schedules", returns=_NAMED)
async def get_workflow(call: CallContext, *, name: _Name, version: _Version = 0) -> dict[str, Any]:
    """Gets the definition of a workflow."""
    row = await (await call.client()).workflows.get(name, version or None)
    return fitted(sparse(row), call.options.limit_chars)


@mcp_tool("Draw a workflow", "schedules", returns=shape({"mermaid": {"type": "string"}}))
async def workflow_diagram(
    call: CallContext,
    *,
    name: _Name,
    version: _Version = 0,
    task: Annotated[str, Meta(description="An instance, whose steps are shown with their states")] = "",
) -> dict[str, Any]:
    """Draws a workflow as Mermaid text."""
    return {"mermaid": await (await call.client()).workflows.diagram(name, version or None, task=task)}


@mcp_tool("Check a workflow", "schedules", returns=ANSWER)
async def check_workflow(
    call: CallContext, *, definition: Annotated[str, Meta(description="YAML, TOML or JSON")]
) -> dict[str, Any]:
    """Checks the definition of a workflow: all that is wrong with it, and the skills that no node offers."""
    of = (await call.client()).workflows
    plan = of.check(definition)
    return {"workflow": plan.definition.workflow, "missing_skills": await of.missing_skills(plan)}


@mcp_tool("Add a workflow", "schedules", "destroy", idempotent=True, returns=_NAMED)
async def add_workflow(
    call: CallContext, *, definition: Annotated[str, Meta(description="YAML, TOML or JSON")]
) -> dict[str, Any]:
    """Adds a workflow, or a new version of it. Needs a person."""
    row = await (await call.client()).workflows.add(definition)
    return fitted(sparse(msgspec.structs.replace(row, definition=None)), call.options.limit_chars)


@mcp_tool("Remove a workflow", "schedules", "destroy", idempotent=True, returns=_NAMED)
async def remove_workflow(call: CallContext, *, name: _Name) -> dict[str, Any]:
    """Removes a workflow; instances go on, and its versions stay readable. Needs a person."""
    row = await (await call.client()).workflows.remove(name)
    return sparse(msgspec.structs.replace(row, definition=None))


@mcp_tool("Run a workflow", "schedules", "change", returns=TASK)
async def run_workflow(
    call: CallContext,
    *,
    name: _Name,
    params: Annotated[Payload, Meta(description="Parameters of the workflow")] = {},  # noqa: B006
    version: _Version = 0,
    id: str = "",
    key: str = "",
    wait: Annotated[str, Meta(description="Wait for its end, at most so long: 30s, 5m")] = "",
    on_cancel: Literal["cancel", "leave"] = "cancel",
) -> dict[str, Any]:
    """Submits an instance of a workflow: a task, whose steps are its children. Waits for it as submit_task does."""
    wait_s, client = seconds(wait, "wait"), await call.client()
    ref = await client.workflows.submit(name, params, version=version or None, id=id or None, key=key or None)
    return await submitted_answer(call, ref, wait_s, leave=on_cancel == "leave")


TOOLS: Final = (
    schedules,
    add_schedule,
    change_schedule,
    triggers,
    add_trigger,
    change_trigger,
    workflows,
    get_workflow,
    workflow_diagram,
    check_workflow,
    add_workflow,
    remove_workflow,
    run_workflow,
)
