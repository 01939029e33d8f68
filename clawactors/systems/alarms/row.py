"""An alarm as people and scripts read it. The keys are promises: extend freely, drop none."""

from typing import Any

from clawactors.kernel.time import iso
from clawactors.systems.alarms.decider import Alarm

__all__ = ["row"]


def row(name: str, version: int, alarm: Alarm) -> dict[str, Any]:
    """The row of an alarm. Times are ISO 8601 with zone or None."""
    return {
        "name": name,
        "status": alarm.status,
        "reason": alarm.reason,
        "since": iso(alarm.since_ns),
        "times": alarm.times,
        "version": version,
    }
