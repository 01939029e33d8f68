"""What a running cluster is set to, `/api/v1/config`, and who is told of what, `/api/v1/notifications`."""

from typing import Any

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.params import FromQuery, JSONBody

from clawactors.app.web.parameters import At, Claw, Flag, InPath, Number, Text, place
from clawactors.runtime.client.bridges import BridgeRow
from clawactors.runtime.client.rows import Page
from clawactors.runtime.client.settingrows import SettingChange, SettingRow, ValueChange
from clawactors.runtime.client.triggerrows import AlarmRow, NotificationRow

__all__ = ["BridgeRoutes", "ConfigRoutes", "NotificationRoutes"]


class _Sent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class SettingBody(_Sent, frozen=True):
    """A value, as JSON or as `claw config set` takes it; `if_version`: of the settings that were read."""

    value: Any
    reason: str = ""
    if_version: int | None = None


class ChangedSettingsBody(_Sent, frozen=True):
    """Several values by name, null for the default: all are set, or none."""

    changes: dict[str, Any]
    reason: str = ""
    if_version: int | None = None


class RollbackBody(_Sent, frozen=True):
    """The version that all settings are set back to."""

    version: int
    reason: str = ""
    if_version: int | None = None


class NotificationBody(_Sent, frozen=True):
    """What is told (`dead`, `approval`, `node-lost` …), whom (`to`), and of which tasks; `every` in seconds."""

    when: list[str]
    to: str
    skill: str = ""
    tag: str = ""
    user: str = ""
    every: float = 60.0
    secret: str = ""
    """The name of the secret that signs, not the secret."""


class MuteBody(_Sent, frozen=True):
    """For how long, as in `2h`; without it until `unmute`."""

    duration: str | None = None


class MemberBody(_Sent, frozen=True):
    """Who may talk by a bridge: a chat, or one `member` of it; `user` is who they act as."""

    member: str = ""
    user: str = ""
    skills: list[str] = []


class ConfigRoutes(Controller):
    """Settings of the running cluster."""

    path = "/config"
    tags = ["config"]  # noqa: RUF012 # as litestar declares it

    @get(operation_id="config.list")
    async def settings(self, claw: Claw, origins: Flag = False, at: At = "") -> Page[SettingRow]:
        """All settings by name; `origins`: with what counts in each process, and why."""
        return Page(tuple(await claw.config.list(origins=origins, **await place(claw, "at", at))))

    @get("/{name:str}", operation_id="config.get")
    async def setting(self, claw: Claw, name: InPath, origins: Flag = False, at: At = "") -> SettingRow:
        """One setting."""
        return await claw.config.get(name, origins=origins, **await place(claw, "at", at))

    @put("/{name:str}", operation_id="config.set")
    async def set(self, claw: Claw, name: InPath, data: JSONBody[SettingBody]) -> SettingRow:
        """Sets one; the same again changes nothing."""
        return await claw.config.set(name, data.value, reason=data.reason, if_version=data.if_version)

    @delete("/{name:str}", operation_id="config.unset", status_code=200)
    async def unset(self, claw: Claw, name: InPath, reason: Text = "", if_version: Number = None) -> SettingRow | None:
        """Takes one back to its default; null for one that only a later release has."""
        return await claw.config.unset(name, reason=reason, if_version=if_version)

    @post("/change", operation_id="config.change", status_code=200)
    async def change(self, claw: Claw, data: JSONBody[ChangedSettingsBody]) -> Page[SettingRow]:
        """Sets several, all or none; answers with all settings after it."""
        changed = await claw.config.change(data.changes, reason=data.reason, if_version=data.if_version)
        return Page(tuple(changed))

    @post("/rollback", operation_id="config.rollback", status_code=200)
    async def rollback(self, claw: Claw, data: JSONBody[RollbackBody]) -> Page[SettingRow]:
        """Sets all back to what they were at a version; answers with all settings after it."""
        changed = await claw.config.rollback(data.version, reason=data.reason, if_version=data.if_version)
        return Page(tuple(changed))

    @get("/history", operation_id="config.history")
    async def history(self, claw: Claw, name: Text = "") -> Page[SettingChange]:
        """Every change, oldest first."""
        return Page(tuple(await claw.config.history(name)))

    @get("/diff", operation_id="config.difference")
    async def diff(self, claw: Claw, begin: FromQuery[int], end: Number = None) -> dict[str, ValueChange]:
        """What differs between two versions of the settings, by default up to now."""
        return await claw.config.difference(begin, end)


class NotificationRoutes(Controller):
    """Rules that tell people what happens; each change answers with the rule after it."""

    path = "/"
    tags = ["notifications"]  # noqa: RUF012 # as litestar declares it

    @get("/notifications", operation_id="notifications.list")
    async def notifications(self, claw: Claw) -> Page[NotificationRow]:
        """All rules, by name."""
        return Page(tuple(await claw.notifications.list()))

    @get("/notifications/{name:str}", operation_id="notifications.get")
    async def notification(self, claw: Claw, name: InPath) -> NotificationRow:
        """One rule, with what could not be sent."""
        return await claw.notifications.get(name)

    @put("/notifications/{name:str}", operation_id="notifications.add")
    async def add(self, claw: Claw, name: InPath, data: JSONBody[NotificationBody]) -> NotificationRow:
        """Adds a rule; the same again changes nothing, another of that name is refused (409)."""
        return await claw.notifications.add(name, **msgspec.to_builtins(data))

    @post("/notifications/{name:str}/mute", operation_id="notifications.mute", status_code=200)
    async def mute(self, claw: Claw, name: InPath, data: JSONBody[MuteBody | None] = None) -> NotificationRow:
        """Tells nothing of what happens from now on."""
        return await claw.notifications.mute(name, data.duration if data else None)

    @post("/notifications/{name:str}/unmute", operation_id="notifications.unmute", status_code=200)
    async def unmute(self, claw: Claw, name: InPath) -> NotificationRow:
        """Tells again what happens from now on."""
        return await claw.notifications.unmute(name)

    @post("/notifications/{name:str}/redrive", operation_id="notifications.redrive", status_code=200)
    async def redrive(self, claw: Claw, name: InPath) -> NotificationRow:
        """Sends again what could not be sent and is kept."""
        return await claw.notifications.redrive(name)

    @post("/notifications/{name:str}/test", operation_id="notifications.test", status_code=204)
    async def test(self, claw: Claw, name: InPath) -> None:
        """Sends a message to where the rule sends: 204 once it is there, else the reason (409)."""
        await claw.notifications.test(name)

    @delete("/notifications/{name:str}", operation_id="notifications.remove", status_code=200)
    async def remove(self, claw: Claw, name: InPath) -> NotificationRow:
        """Removes the rule."""
        return await claw.notifications.remove(name)

    @get("/alarms", operation_id="notifications.alarms")
    async def alarms(self, claw: Claw) -> Page[AlarmRow]:
        """What was ever wrong with the cluster as a whole, and whether it is over."""
        return Page(tuple(await claw.notifications.alarms()))


class BridgeRoutes(Controller):
    """Bridges to chats; each change answers with the bridge after it."""

    path = "/bridges"
    tags = ["notifications"]  # noqa: RUF012 # as litestar declares it

    @get(operation_id="bridges.list")
    async def bridges(self, claw: Claw) -> Page[BridgeRow]:
        """All bridges, by name."""
        return Page(tuple(await claw.bridges.list()))

    @put("/{name:str}/members/{chat:str}", operation_id="bridges.allow")
    async def allow(self, claw: Claw, name: InPath, chat: InPath, data: JSONBody[MemberBody]) -> BridgeRow:
        """Lets a chat, or a member of it, talk to the cluster; given again, it replaces what was said before."""
        return await claw.bridges.allow(name, chat, member=data.member, user=data.user, skills=data.skills)

    @delete("/{name:str}/members/{chat:str}", operation_id="bridges.disallow", status_code=200)
    async def disallow(self, claw: Claw, name: InPath, chat: InPath, member: Text = "") -> BridgeRow:
        """Lets them talk no longer."""
        return await claw.bridges.disallow(name, chat, member=member)
