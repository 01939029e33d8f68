"""Schedules, triggers, backups: what happens by itself."""

from typing import Any

import msgspec
from litestar import Controller, Response, delete, get, post, put
from litestar.params import JSONBody
from msgspec import UNSET, UnsetType

from clawactors.app.web.answers import versioned
from clawactors.app.web.parameters import Claw, IfNoneMatch, InPath, given_of
from clawactors.runtime.client.backuprows import BackupRow
from clawactors.runtime.client.rows import Page, ScheduleRow
from clawactors.runtime.client.schedules import schedule_row
from clawactors.runtime.client.triggerrows import TriggerRow
from clawactors.runtime.client.triggers import trigger_row
from clawactors.systems.schedules.events import CatchUp

__all__ = ["BackupRoutes", "ScheduleRoutes", "TriggerRoutes"]


class _Repeated(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    description: str | UnsetType = UNSET
    user: str | UnsetType = UNSET
    priority: str | int | UnsetType = UNSET
    requires: list[str] | UnsetType = UNSET
    prefers: list[str] | UnsetType = UNSET
    affinity: dict[str, str] | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    timeout_s: float | UnsetType = UNSET
    max_retries: int | UnsetType = UNSET


class ScheduleBody(_Repeated, frozen=True, kw_only=True):
    """A cron line, the skill, and the options of its tasks."""

    cron: str
    skill: str
    params: dict[str, Any] = {}
    zone: str = "UTC"
    catch_up: CatchUp = "coalesce"


class TriggerBody(_Repeated, frozen=True, kw_only=True):
    """The events, and what follows: a task (`submit`), a `webhook`, or a message (`publish`)."""

    on: list[str]
    where: str | UnsetType = UNSET
    submit: str | UnsetType = UNSET
    params: dict[str, Any] | UnsetType = UNSET
    webhook: str | UnsetType = UNSET
    secret: str | UnsetType = UNSET
    """The name of the secret that signs, not the secret."""
    publish: str | UnsetType = UNSET
    allow_loop: bool | UnsetType = UNSET
    rate: int | UnsetType = UNSET


class DeliveriesBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ids of failed deliveries."""

    deliveries: list[str]


class BackupPlanBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every `every_s` seconds into `folder`, on the machine of control; the newest `copies` stay."""

    folder: str
    every_s: float
    copies: int = 7


class BackupNoteBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A backup that somebody has made."""

    file: str
    size_bytes: int
    last_seq: int
    seconds: float


class ScheduleRoutes(Controller):
    """Schedules; each change answers with the schedule after it."""

    path = "/schedules"
    tags = ["schedules"]  # noqa: RUF012 # as litestar declares it

    @get(operation_id="schedules.list")
    async def schedules(self, claw: Claw) -> Page[ScheduleRow]:
        """All schedules, by name."""
        return Page(tuple(await claw.schedules.list()))

    @get("/{name:str}", operation_id="schedules.get")
    async def schedule(self, claw: Claw, name: InPath, if_none_match: IfNoneMatch = "") -> Response[ScheduleRow]:
        """One schedule."""
        return versioned(await claw.schedules.get(name), if_none_match)

    @put("/{name:str}", operation_id="schedules.add")
    async def add(self, claw: Claw, name: InPath, data: JSONBody[ScheduleBody]) -> Response[ScheduleRow]:
        """Adds a schedule; the same again changes nothing, another of that name is refused (409)."""
        given = given_of(data)
        asked = [given.pop(each) for each in ("cron", "skill", "params")]
        return versioned(schedule_row(name, await claw.schedules.add(name, *asked, **given)))

    @post("/{name:str}/pause", operation_id="schedules.pause", status_code=200)
    async def pause(self, claw: Claw, name: InPath) -> Response[ScheduleRow]:
        """Pauses the schedule."""
        return versioned(schedule_row(name, await claw.schedules.pause(name)))

    @post("/{name:str}/resume", operation_id="schedules.resume", status_code=200)
    async def resume(self, claw: Claw, name: InPath) -> Response[ScheduleRow]:
        """Resumes a paused schedule at its next time."""
        return versioned(schedule_row(name, await claw.schedules.resume(name)))

    @delete("/{name:str}", operation_id="schedules.remove", status_code=200)
    async def remove(self, claw: Claw, name: InPath) -> Response[ScheduleRow]:
        """Removes the schedule; its tasks stay."""
        return versioned(schedule_row(name, await claw.schedules.remove(name)))


class TriggerRoutes(Controller):
    """Triggers; each change answers with the trigger after it."""

    path = "/triggers"
    tags = ["triggers"]  # noqa: RUF012 # as litestar declares it

    @get(operation_id="triggers.list")
    async def triggers(self, claw: Claw) -> Page[TriggerRow]:
        """All triggers, by name."""
        return Page(tuple(await claw.triggers.list()))

    @get("/{name:str}", operation_id="triggers.get")
    async def trigger(self, claw: Claw, name: InPath, if_none_match: IfNoneMatch = "") -> Response[TriggerRow]:
        """One trigger, with what it could not deliver."""
        return versioned(await claw.triggers.get(name), if_none_match)

    @put("/{name:str}", operation_id="triggers.add")
    async def add(self, claw: Claw, name: InPath, data: JSONBody[TriggerBody]) -> Response[TriggerRow]:
        """Adds a trigger; the same again changes nothing, another of that name is refused (409)."""
        return versioned(trigger_row(name, await claw.triggers.add(name, **given_of(data))))

    @post("/{name:str}/pause", operation_id="triggers.pause", status_code=200)
    async def pause(self, claw: Claw, name: InPath) -> Response[TriggerRow]:
        """Holds the trigger; what happens meanwhile is kept for it."""
        return versioned(trigger_row(name, await claw.triggers.pause(name)))

    @post("/{name:str}/resume", operation_id="triggers.resume", status_code=200)
    async def resume(self, claw: Claw, name: InPath) -> Response[TriggerRow]:
        """Lets a paused or stopped trigger go on where it was."""
        return versioned(trigger_row(name, await claw.triggers.resume(name)))

    @post("/{name:str}/redrive", operation_id="triggers.redrive", status_code=200)
    async def redrive(
        self, claw: Claw, name: InPath, data: JSONBody[DeliveriesBody | None] = None
    ) -> Response[TriggerRow]:
        """Delivers again what failed and is kept: all, or the deliveries with these ids."""
        return versioned(trigger_row(name, await claw.triggers.redrive(name, data.deliveries if data else ())))

    @post("/{name:str}/drop", operation_id="triggers.drop", status_code=200)
    async def drop(self, claw: Claw, name: InPath, data: JSONBody[DeliveriesBody]) -> Response[TriggerRow]:
        """Keeps these failed deliveries no longer; they stay in its history."""
        return versioned(trigger_row(name, await claw.triggers.drop(name, data.deliveries)))

    @delete("/{name:str}", operation_id="triggers.remove", status_code=200)
    async def remove(self, claw: Claw, name: InPath) -> Response[TriggerRow]:
        """Removes the trigger; its tasks stay."""
        return versioned(trigger_row(name, await claw.triggers.remove(name)))


class BackupRoutes(Controller):
    """The plan of backups, and the last one."""

    path = "/backups"
    tags = ["backups"]  # noqa: RUF012 # as litestar declares it

    @get(operation_id="backups.get")
    async def backups(self, claw: Claw) -> BackupRow | None:
        """The plan and the last backup; null where there never was one."""
        return await claw.backups.get()

    @put(operation_id="backups.plan")
    async def plan(self, claw: Claw, data: JSONBody[BackupPlanBody]) -> Response[BackupRow]:
        """Lets the cluster make backups by itself."""
        return versioned(await claw.backups.plan(data.folder, data.every_s, data.copies))

    @delete(operation_id="backups.stop", status_code=200)
    async def stop(self, claw: Claw) -> Response[BackupRow]:
        """Ends the plan; the files stay."""
        return versioned(await claw.backups.stop())

    @post("/notes", operation_id="backups.note", status_code=200)
    async def note(self, claw: Claw, data: JSONBody[BackupNoteBody]) -> Response[BackupRow]:
        """Records that somebody has made a backup."""
        return versioned(await claw.backups.note(data.file, data.size_bytes, data.last_seq, data.seconds))
