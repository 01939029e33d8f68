"""Changes of schedules: add, pause, resume, remove."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

import msgspec
from msgspec.structs import replace

from clawactors.kernel.fold import Snapshot
from clawactors.runtime.client.named import NamedChanges
from clawactors.runtime.client.rows import Page, ScheduleRow
from clawactors.systems.schedules import Schedule
from clawactors.systems.schedules import external as x
from clawactors.systems.schedules.events import CatchUp
from clawactors.systems.schedules.planning import checked_name, plan_of
from clawactors.systems.schedules.row import row
from clawactors.systems.tasks.options import RepeatedOptions

if TYPE_CHECKING:
    from clawactors.runtime.client.client import ClusterClient

__all__ = ["Schedules", "schedule_row"]


def schedule_row(name: str, known: Snapshot[Schedule]) -> ScheduleRow:
    """The row of a schedule in that state."""
    return msgspec.convert(row(name, known.version, known.state), ScheduleRow)


class Schedules(NamedChanges[Schedule]):
    """The schedules of a cluster, as its client sees them."""

    def __init__(self, client: "ClusterClient") -> None:
        super().__init__(client, "schedule", Schedule, checked_name)

    async def add(
        self,
        name: str,
        cron: str,
        skill: str,
        params: Mapping[str, Any] | None = None,
        *,
        zone: str = "UTC",
        catch_up: CatchUp = "coalesce",
        **options: Unpack[RepeatedOptions],
    ) -> Snapshot[Schedule]:
        """Adds a schedule that submits tasks of the skill; adding the same one again changes nothing.

        Raises: `Refused` (no cron line, no zone, parameters that don't fit, name taken), `TypeError` for an unknown
        option.
        """
        checked_name(name)
        plan = plan_of(cron, skill, params, zone=zone, catch_up=catch_up, **options)
        await self._client.skills.check(plan.task)
        plan = replace(plan, task=await self._client.payloads.offload_payload(plan.task))
        return await self._ask(name, x.AddScheduleRequest(plan=plan))

    async def pause(self, name: str) -> Snapshot[Schedule]:
        """Pauses the schedule. Raises: `NotFound`."""
        return await self._change(name, x.PauseScheduleRequest())

    async def resume(self, name: str) -> Snapshot[Schedule]:
        """Resumes a paused schedule at its next time. Raises: `NotFound`."""
        return await self._change(name, x.ResumeScheduleRequest())

    async def remove(self, name: str) -> Snapshot[Schedule]:
        """Removes the schedule; its tasks stay. Raises: `NotFound`."""
        return await self._change(name, x.RemoveScheduleRequest())

    async def list(self, *, fresh: bool = True) -> "list[ScheduleRow]":
        """All schedules, by name. Raises: `Unavailable`."""
        return list(await self._client.views.answer(Page[ScheduleRow], "schedules", fresh=fresh))

    async def get(self, name: str, *, fresh: bool = True) -> ScheduleRow:
        """One schedule. Raises: `NotFound`, `Unavailable`."""
        return await self._client.views.row(ScheduleRow, "schedule", id=name, fresh=fresh)
