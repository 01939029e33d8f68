"""Tools for what tells people: alarms, rules of notifications, bridges to chats. Who hears what, a person says."""

from typing import Annotated, Any, Final, Literal

from msgspec import Meta

from clawactors.app.mcp.calling import CallContext
from clawactors.app.mcp.cutting import sparse
from clawactors.app.mcp.shapes import ANSWER, listed, shape
from clawactors.app.mcp.tooling import Duration, Names, mcp_tool

__all__ = ["TOOLS"]

_NAMED: Final = shape({"name": {"type": "string"}})

type _Rule = Annotated[str, Meta(description="The name of the rule")]


@mcp_tool("List alarms", "care", returns=listed("alarms", _NAMED))
async def alarms(call: CallContext) -> dict[str, Any]:
    """Lists what is or was wrong with the cluster as a whole: no leader, a full disk, lost nodes, lag."""
    rows = await (await call.client()).notifications.alarms()
    return call.rows("alarms", rows)


@mcp_tool("List notifications", "care", returns=listed("notifications", _NAMED))
async def notifications(
    call: CallContext, *, name: Annotated[str, Meta(description="Only this one")] = ""
) -> dict[str, Any]:
    """Lists the rules by which people are told what happens."""
    of = (await call.client()).notifications
    rows = [await of.get(name)] if name else await of.list()
    return call.rows("notifications", rows)


@mcp_tool("Add a notification", "care", "destroy", returns=_NAMED)
async def add_notification(
    call: CallContext,
    *,
    name: _Rule,
    when: Annotated[
        Names,
        Meta(
            min_length=1,
            description="dead, failed, blocked, approval, completed, cancelled, node-lost, lag, disk",
        ),
    ],
    to: Annotated[str, Meta(description="https://…, mailto:ops@example.org, desktop, telegram:CHAT")],
    skill: Annotated[str, Meta(description="Only of tasks of this skill; it may hold *")] = "",
    tag: str = "",
    user: str = "",
    every: Annotated[str, Meta(description="At most once in this time")] = "60s",
) -> dict[str, Any]:
    """Adds a rule that tells people what happens, by webhook, mail, chat or desktop. Needs a person."""
    of = (await call.client()).notifications
    return sparse(await of.add(name, when, to, skill=skill, tag=tag, user=user, every=every))


@mcp_tool("Change a notification", "care", "destroy", returns=ANSWER)
async def change_notification(
    call: CallContext,
    *,
    name: _Rule,
    change: Literal["mute", "unmute", "redrive", "test", "remove"],
    duration: Duration = "",
) -> dict[str, Any]:
    """Mutes a rule for a while, unmutes, tests or removes it, or sends again what failed. Needs a person."""
    of = (await call.client()).notifications
    if change == "test":
        await of.test(name)
        return {"name": name, "sent": True}
    if change == "mute":
        return sparse(await of.mute(name, duration or None))
    changes = {"unmute": of.unmute, "redrive": of.redrive, "remove": of.remove}
    return sparse(await changes[change](name))


@mcp_tool("List bridges to chats", "care", returns=listed("bridges", _NAMED))
async def bridges(call: CallContext) -> dict[str, Any]:
    """Lists the bridges to chats, and who may talk to the cluster from there."""
    rows = await (await call.client()).bridges.list()
    return call.rows("bridges", rows)


@mcp_tool("Let a chat talk to the cluster", "care", "destroy", idempotent=True, returns=_NAMED)
async def change_bridge(
    call: CallContext,
    *,
    name: Annotated[str, Meta(description="The bridge, as in telegram")],
    change: Literal["allow", "disallow"],
    chat: str,
    member: str = "",
    user: Annotated[str, Meta(description="Whom they act for")] = "",
    skills: Annotated[Names, Meta(description="What they may submit")] = [],  # noqa: B006 # read for its type only
) -> dict[str, Any]:
    """Lets a chat, or one member of it, talk to the cluster by a bridge, or no longer. Needs a person."""
    of = (await call.client()).bridges
    if change == "allow":
        return sparse(await of.allow(name, chat, member=member, user=user, skills=skills))
    return sparse(await of.disallow(name, chat, member=member))


TOOLS: Final = (
    alarms,
    notifications,
    add_notification,
    change_notification,
    bridges,
    change_bridge,
)
