"""A schedule as people and scripts read it. The keys are promises: extend freely, drop none."""

from typing import Any

from clawactors.kernel.time import iso
from clawactors.systems.schedules.decider import Schedule, task_id
from clawactors.systems.schedules.events import SchedulePlan
from clawactors.systems.tasks.events import Spec

__all__ = ["row"]

_NOTHING = SchedulePlan(cron="", task=Spec(skill=""))


def row(name: str, version: int, schedule: Schedule) -> dict[str, Any]:
    """The row of a schedule. Times are ISO 8601 with zone or None."""
    plan = schedule.plan or _NOTHING
    return {
        "name": name,
        "status": schedule.status,
        "cron": plan.cron,
        "zone": plan.zone,
        "catch_up": plan.catch_up,
        "skill": plan.task.skill,
        "params": plan.task.params,
        "user": plan.task.user,
        "priority": plan.task.priority,
        "tags": list(plan.task.tags),
        "next_at": iso(schedule.due_ns or 0),
        "last_at": iso(schedule.last_ns),
        "last_task": task_id(name, schedule.last_ns) if schedule.last_ns else None,
        "fired": schedule.fired,
        "added_at": iso(schedule.added_ns),
        "updated_at": iso(schedule.updated_ns),
        "version": version,
    }
