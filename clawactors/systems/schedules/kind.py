"""The kind of schedules."""

from typing import Final

from clawactors.kernel.kind import Kind
from clawactors.systems.schedules import commands as c
from clawactors.systems.schedules import events as e
from clawactors.systems.schedules.decider import SCHEDULE, Schedule
from clawactors.systems.schedules.external import COMMANDS, command_of

__all__ = ["SCHEDULES"]

SCHEDULES: Final[Kind[c.ScheduleCommand, Schedule, e.ScheduleEvent]] = Kind(
    name="schedule", decider=SCHEDULE, codec=e.CODEC, command_decoder=COMMANDS, command_of=command_of
)
