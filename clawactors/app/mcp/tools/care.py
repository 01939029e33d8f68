"""Tools to look after a cluster: its nodes, archive, backups, checks, erasing."""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from clawactors.app.mcp.calling import CallContext
from clawactors.app.mcp.cutting import fitted, sparse
from clawactors.app.mcp.shapes import ANSWER, TASKS, listed, shape
from clawactors.app.mcp.tooling import Duration, Moment, Names, given, mcp_tool, seconds

__all__ = ["TOOLS"]

_ID: Final = shape({"id": {"type": "string"}})
_MONTH_S: Final = 30 * 86_400.0

type _Node = Annotated[str, Meta(description="The id of a node")]


@mcp_tool("Change a node", "care", "destroy", idempotent=True, returns=_ID)
async def change_node(
    call: CallContext, *, id: _Node, change: Literal["drain", "cordon", "uncordon", "remove"]
) -> dict[str, Any]:
    """Drains, cordons, uncordons or removes a node. Needs a person."""
    client = await call.client()
    changes = {
        "drain": client.drain,
        "cordon": client.cordon,
        "uncordon": client.uncordon,
        "remove": client.remove_node,
    }
    return sparse(await changes[change](id))


@mcp_tool("Set slots and affinity of a node", "care", "destroy", idempotent=True, returns=_ID)
async def set_node(
    call: CallContext,
    *,
    id: _Node,
    slots: Annotated[int, Meta(ge=-1, description="Tasks that it runs at once; -1 leaves them")] = -1,
    affinity: Annotated[dict[str, str], Meta(description="Labels; an empty value removes one")] = {},  # noqa: B006
) -> dict[str, Any]:
    """Sets how many tasks a node runs at once, and its labels. Needs a person."""
    client = await call.client()
    return sparse(await client.set_node(id, slots=None if slots < 0 else slots, affinity=affinity or None))


@mcp_tool("List pending tasks", "care", returns=TASKS)
async def pending(
    call: CallContext, *, limit: Annotated[int, Meta(ge=1, le=1000)] = 20, cursor: str = ""
) -> dict[str, Any]:
    """Lists the pending tasks by priority, then by age."""
    page = await (await call.client()).pending(limit=limit, cursor=cursor, fresh=not cursor)
    return call.rows("tasks", page)


@mcp_tool("Show who is next", "care", returns=listed("tasks"))
async def queue(
    call: CallContext, *, skill: str = "", limit: Annotated[int, Meta(ge=1, le=1000)] = 20
) -> dict[str, Any]:
    """Shows the next pending tasks in the order in which they are placed: why, and what holds each back."""
    found = await (await call.client()).queue(skill, limit=limit)
    return fitted({**sparse(found), "tasks": [sparse(each) for each in found.tasks]}, call.options.limit_chars)


@mcp_tool("Check the cluster", "care", returns=listed("checks"))
async def doctor(call: CallContext) -> dict[str, Any]:
    """Checks the cluster: what is wrong with streams, views, control, nodes and memory, and what to do."""
    client = await call.client()
    rows = [check.row async for check in client.checks(client.memories.ask)]
    return fitted({"ok": all(row["ok"] for row in rows), "checks": rows}, call.options.limit_chars)


@mcp_tool("Show the last backup", "care", returns=ANSWER)
async def backup_status(call: CallContext) -> dict[str, Any]:
    """Shows the plan for backups, and the last one."""
    found = await (await call.client()).backups.get()
    return {"backup": None if found is None else sparse(found)}


@mcp_tool("Plan backups", "care", "destroy", idempotent=True, returns=ANSWER)
async def plan_backups(
    call: CallContext,
    *,
    folder: Annotated[str, Meta(description="On the machine of the control process; empty ends the plan")] = "",
    every: Duration = "24h",
    copies: Annotated[int, Meta(ge=1)] = 7,
) -> dict[str, Any]:
    """Lets the cluster make backups by itself, or ends that. Needs a person."""
    of = (await call.client()).backups
    if not folder:
        return sparse(await of.stop())
    return sparse(await of.plan(folder, seconds(every, "every") or 0.0, copies))


@mcp_tool("Move tasks to the archive", "care", "destroy", idempotent=True, returns=ANSWER)
async def archive_tasks(
    call: CallContext,
    *,
    older_than: Duration = "30d",
    dry_run: Annotated[bool, Meta(description="Only count them")] = False,
) -> dict[str, Any]:
    """Moves tasks that ended long ago to the archive. Needs a person."""
    age_s = seconds(older_than, "older_than", _MONTH_S) or 0.0
    return msgspec.to_builtins(await (await call.client()).archive(age_s, dry_run=dry_run))  # type: ignore[no-any-return]


@mcp_tool("Compact the views", "care", "destroy", idempotent=True, returns=ANSWER)
async def compact(call: CallContext) -> dict[str, Any]:
    """Gives back the space that deleted rows have left in the views. Needs a person."""
    return msgspec.to_builtins(await (await call.client()).compact())  # type: ignore[no-any-return]


@mcp_tool("Delete ended tasks", "care", "destroy", idempotent=True, returns=shape({"deleted": {"type": "integer"}}))
async def delete_ended(
    call: CallContext,
    *,
    until: Moment,
    status: Names = [],  # noqa: B006 # read for its type only
    skill: str = "",
) -> dict[str, Any]:
    """Deletes ended tasks that were submitted up to that time; their histories stay readable. Needs a person."""
    more: dict[str, Any] = {"status": status} if status else {}
    return {"deleted": await (await call.client()).delete_ended(until=until, skill=skill, **more)}


@mcp_tool("Erase a user", "care", "destroy", idempotent=True, returns=ANSWER)
async def erase(
    call: CallContext,
    *,
    owner: Annotated[str, Meta(description="The user whose words are erased")],
    cancel: Annotated[bool, Meta(description="First end what of theirs is under way")] = False,
    reason: str = "",
) -> dict[str, Any]:
    """Erases all words of a user for good, in tasks, conversations and memories. Needs a person."""
    return fitted(await (await call.client()).erase(owner, cancel=cancel, reason=reason), call.options.limit_chars)


@mcp_tool("Set what an owner wants of memory", "care", "destroy", idempotent=True, returns=ANSWER)
async def set_memory(
    call: CallContext,
    *,
    owner: str = "",
    retention_days: Annotated[int, Meta(ge=-1, description="0 for ever; -1 leaves it")] = -1,
    language: str = "",
    zone: str = "",
    sharing: Annotated[Names, Meta(description="Users, agent:SKILL, or *")] = [],  # noqa: B006
) -> dict[str, Any]:
    """Sets what an owner wants of memory. Needs a person."""
    client = await call.client()
    changes = given(language=language, zone=zone, sharing=sharing)
    if retention_days >= 0:
        changes["retention_days"] = retention_days
    return await client.memories.settings(owner or client.user, **changes)


@mcp_tool("List settings", "care", returns=listed("settings", shape({"name": {"type": "string"}})))
async def settings(
    call: CallContext,
    *,
    name: Annotated[str, Meta(description="Only this one")] = "",
    origins: Annotated[bool, Meta(description="Also what counts in which process, and why")] = False,
) -> dict[str, Any]:
    """Lists the settings of the cluster: value, default, meaning, and when a change applies."""
    of = (await call.client()).config
    rows = [await of.get(name, origins=origins)] if name else await of.list(origins=origins)
    return call.rows("settings", rows)


@mcp_tool("List changes of settings", "care", returns=listed("changes"))
async def settings_history(call: CallContext) -> dict[str, Any]:
    """Lists the changes of settings: who changed what, when and why."""
    rows = await (await call.client()).config.history()
    return call.rows("changes", rows)


@mcp_tool("Change a setting", "care", "destroy", idempotent=True, returns=ANSWER)
async def change_setting(
    call: CallContext,
    *,
    name: str,
    value: Annotated[Any, Meta(description="The value; null for the default")] = None,
    reason: str = "",
) -> dict[str, Any]:
    """Sets a setting of the cluster, or takes it back to its default. Needs a person."""
    of = (await call.client()).config
    row = await (of.unset(name, reason=reason) if value is None else of.set(name, value, reason=reason))
    return {} if row is None else sparse(row)


@mcp_tool("Roll settings back", "care", "destroy", idempotent=True, returns=ANSWER)
async def roll_back_settings(
    call: CallContext, *, version: Annotated[int, Meta(ge=0, description="See settings_history")], reason: str = ""
) -> dict[str, Any]:
    """Sets all settings back to what they were at that version. Needs a person."""
    rows = await (await call.client()).config.rollback(version, reason=reason)
    return call.rows("settings", rows)


TOOLS: Final = (
    settings,
    settings_history,
    change_setting,
    roll_back_settings,
    change_node,
    set_node,
    pending,
    queue,
    doctor,
    backup_status,
    plan_backups,
    archive_tasks,
    compact,
    delete_ended,
    erase,
    set_memory,
)
