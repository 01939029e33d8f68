"""Schedules by the second, as older releases recorded them: they can't be added any more, and go on firing."""

from typing import Any

from clawactors.app.client import Client
from clawactors.eventlog import Draft
from clawactors.eventlog.log import EventLog
from clawactors.systems.schedules import Schedule
from clawactors.systems.schedules.cron import after
from clawactors.systems.schedules.events import CODEC, ScheduleAdded
from clawactors.systems.schedules.planning import plan_of

__all__ = ["record_schedule"]


async def record_schedule(
    client: Client, log: EventLog, name: str, cron: str, skill: str, params: dict[str, Any], **options: Any
) -> None:
    """Appends the schedule to the log; quiet where it is there. Raises: `WrongVersion` in a race."""
    known = await client.state("schedule", name, Schedule)
    if known.state.exists:
        return
    plan = plan_of(cron, skill, params, **options)
    now_ns = (await log.head()).at_ns
    added = ScheduleAdded(
        cron=plan.cron, task=plan.task, zone=plan.zone, catch_up=plan.catch_up, next_ns=after(cron, plan.zone, now_ns)
    )
    draft = Draft("schedule", name, CODEC.encode([added]), f"{name}-{known.version + 1}-by-hand")
    await log.append(draft, known.version)
