"""What people do with schedules: add, pause, resume, remove. Decided here, appended like everything else."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from clawactors.kernel.errors import NotFound
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.actor import Actor
from clawactors.systems.schedules import Schedule
from clawactors.systems.schedules import commands as c
from clawactors.systems.schedules.kind import SCHEDULES
from clawactors.systems.schedules.planning import checked_name, plan_of

if TYPE_CHECKING:
    from clawactors.runtime.client.client import Client

__all__ = ["Schedules"]


class Schedules:
    """The schedules of a cluster, as its client sees them."""

    def __init__(self, client: "Client") -> None:
        self._client = client

    async def add(
        self, name: str, cron: str, skill: str, params: Mapping[str, Any] | None = None, **wishes: Any
    ) -> Snapshot[Schedule]:
        """Makes tasks of the skill at the times of the cron line; adding the same again is quiet.

        `wishes` are `zone` (default UTC), `catch_up` (fire, skip, coalesce) and those of a task that make sense more
        than once. Raises: `Refused` (no cron line, no zone, parameters that don't fit, name taken).
        """
        checked_name(name)
        plan = plan_of(cron, skill, params, **wishes)
        await self._client.skills.check(plan.task)
        plan = replace(plan, task=await self._client.payloads.offload_payload(plan.task))
        return await self._decide(name, c.AddSchedule(plan, await self._client.now_ns(), self._client.context.by))

    async def pause(self, name: str) -> Snapshot[Schedule]:
        """Lets nothing come until it is resumed. Raises: `NotFound`."""
        return await self._change(name, c.PauseSchedule(self._client.context.by))

    async def resume(self, name: str) -> Snapshot[Schedule]:
        """Lets it go on with its next time. Raises: `NotFound`."""
        return await self._change(name, c.ResumeSchedule(await self._client.now_ns(), self._client.context.by))

    async def remove(self, name: str) -> Snapshot[Schedule]:
        """Lets nothing come any more; tasks that were made stay. Raises: `NotFound`."""
        return await self._change(name, c.RemoveSchedule(self._client.context.by))

    async def _change(self, name: str, command: c.ScheduleCommand) -> Snapshot[Schedule]:
        return await self._decide(checked_name(name), command, must_exist=True)

    async def _decide(self, name: str, command: c.ScheduleCommand, *, must_exist: bool = False) -> Snapshot[Schedule]:
        actor = Actor(self._client.context, SCHEDULES, name)
        await actor.catch_up()
        if must_exist and not actor.state.exists:
            raise NotFound(f"there is no schedule {name!r}")
        await actor.handle(command)
        return Snapshot(actor.state, actor.version)
