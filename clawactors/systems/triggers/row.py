"""A trigger as people and scripts read it. The keys are promises: extend freely, drop none."""

from typing import Any

import msgspec

from clawactors.kernel.time import iso
from clawactors.systems.triggers.decider import Trigger, delivery_id
from clawactors.systems.triggers.events import TriggerPlan

__all__ = ["row"]

_NOTHING = TriggerPlan(on=())


def row(name: str, version: int, trigger: Trigger) -> dict[str, Any]:
    """The row of a trigger. Times are ISO 8601 with zone or None."""
    plan = trigger.plan or _NOTHING
    return {
        "name": name,
        "status": trigger.status,
        "reason": trigger.reason or None,
        "on": list(plan.on),
        "where": plan.where or None,
        "skill": plan.task.skill if plan.task else None,
        "params": plan.task.params if plan.task else None,
        "webhook": plan.webhook or None,
        "secret": plan.secret or None,
        "publish": plan.publish or None,
        "notify": msgspec.to_builtins(plan.notify),
        "allow_loop": plan.allow_loop,
        "rate": plan.rate,
        "position": trigger.position,
        "fired": trigger.fired,
        "failed": trigger.failed,
        "again": len(trigger.again),
        "failures": [
            {
                "id": delivery_id(name, failure.place),
                "of": failure.place.id,
                "event": failure.event,
                "reason": failure.reason,
                "tries": failure.tries,
                "at": iso(failure.at_ns),
            }
            for failure in trigger.failures
        ],
        "muted_until": iso(trigger.muted_until_ns),
        "last_at": iso(trigger.last_ns),
        "added_at": iso(trigger.added_ns),
        "updated_at": iso(trigger.updated_ns),
        "version": version,
    }
