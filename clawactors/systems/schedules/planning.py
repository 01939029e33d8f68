"""A schedule as users write it, made a `SchedulePlan`: checks that need no log."""

from collections.abc import Mapping
from typing import Any

from clawactors.kernel.errors import Refused
from clawactors.systems.schedules.decider import NAME_MAX
from clawactors.systems.schedules.events import CatchUp, SchedulePlan
from clawactors.systems.tasks.submission import checked_id, spec_of

__all__ = ["CATCH_UP", "checked_name", "plan_of"]

CATCH_UP = ("fire", "skip", "coalesce")
_NOT_AGAIN = ("type", "after", "on_dead", "not_before_ns", "deadline_ns")
"""What says something of one task only."""


def checked_name(name: str) -> str:
    """The name itself. Raises `Refused`."""
    if len(checked_id(name, "name of a schedule")) > NAME_MAX:
        raise Refused(f"the name of a schedule has at most {NAME_MAX} characters, not {len(name)}")
    return name


def plan_of(
    cron: str,
    skill: str,
    params: Mapping[str, Any] | None = None,
    *,
    zone: str = "UTC",
    catch_up: CatchUp = "coalesce",
    **wishes: Any,
) -> SchedulePlan:
    """What is asked for; `wishes` are those of `spec_of` that make sense more than once. Raises `Refused`."""
    if catch_up not in CATCH_UP:
        raise Refused(f"catch-up {catch_up!r} is none of {', '.join(CATCH_UP)}")
    if once := [name for name in _NOT_AGAIN if name in wishes]:
        raise Refused(f"{once[0]!r} can't be said of a task that comes again and again")
    task = spec_of(skill, params, type="scheduled", **wishes)
    return SchedulePlan(cron=" ".join(cron.split()), task=task, zone=zone, catch_up=catch_up)
