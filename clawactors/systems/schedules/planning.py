"""A schedule as users write it, made a `SchedulePlan`: checks that need no log."""

from collections.abc import Mapping
from typing import Any, Unpack

from clawactors.kernel.errors import Refused
from clawactors.systems.schedules.decider import NAME_MAX
from clawactors.systems.schedules.events import CatchUp, SchedulePlan
from clawactors.systems.tasks.options import RepeatedOptions, unknown_option
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
    **options: Unpack[RepeatedOptions],
) -> SchedulePlan:
    """What is asked for. Raises: `Refused`; `TypeError` for an unknown option."""
    if catch_up not in CATCH_UP:
        raise Refused(f"catch-up {catch_up!r} is none of {', '.join(CATCH_UP)}")
    if once := [name for name in _NOT_AGAIN if name in options]:
        raise Refused(f"{once[0]!r} can't be said of a task that comes again and again")
    try:
        task = spec_of(skill, params, type="scheduled", **options)
    except TypeError as error:
        known = ("zone", "catch_up", *RepeatedOptions.__annotations__)
        raise unknown_option("schedules.add", options, known) or error from None
    return SchedulePlan(cron=" ".join(cron.split()), task=task, zone=zone, catch_up=catch_up)
