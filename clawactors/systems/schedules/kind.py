"""The kind of schedules."""

from typing import Final

from msgspec.structs import replace

from clawactors.kernel.kind import Kind
from clawactors.systems.schedules import commands as c
from clawactors.systems.schedules import events as e
from clawactors.systems.schedules.decider import SCHEDULE, Schedule
from clawactors.systems.schedules.external import COMMANDS, command_of
from clawactors.systems.tasks.personal import bare_spec

__all__ = ["SCHEDULES"]


def _owner(state: Schedule) -> str:
    return state.plan.task.user if state.plan is not None else ""


def _bare(event: e.ScheduleEvent) -> e.ScheduleEvent:
    return replace(event, task=bare_spec(event.task)) if isinstance(event, e.ScheduleAdded) else event


SCHEDULES: Final[Kind[c.ScheduleCommand, Schedule, e.ScheduleEvent]] = Kind(
    name="schedule",
    decider=SCHEDULE,
    codec=e.CODEC,
    command_decoder=COMMANDS,
    command_of=command_of,
    owner=_owner,
    bare=_bare,
)
