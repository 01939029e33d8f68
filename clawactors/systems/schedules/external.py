"""Commands to schedules as other programs write them."""

from typing import Any, Final, assert_never

import msgspec
from msgspec.structs import replace

from clawactors.kernel.external import ExternalCommand
from clawactors.systems.schedules import commands as c
from clawactors.systems.schedules.events import SchedulePlan
from clawactors.systems.tasks.submission import checked_spec

__all__ = [
    "COMMANDS",
    "AddScheduleRequest",
    "PauseScheduleRequest",
    "RemoveScheduleRequest",
    "ResumeScheduleRequest",
    "command_of",
]


class AddScheduleRequest(ExternalCommand, frozen=True, kw_only=True, tag="schedule.add"):
    """Make the schedule."""

    plan: SchedulePlan


class PauseScheduleRequest(ExternalCommand, frozen=True, tag="schedule.pause"):
    """Pause the schedule."""


class ResumeScheduleRequest(ExternalCommand, frozen=True, tag="schedule.resume"):
    """Resume the schedule."""


class RemoveScheduleRequest(ExternalCommand, frozen=True, tag="schedule.remove"):
    """Remove the schedule."""


type _Any = AddScheduleRequest | PauseScheduleRequest | ResumeScheduleRequest | RemoveScheduleRequest

COMMANDS: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(_Any.__value__)
"""What other programs may ask of a schedule."""


def command_of(command: _Any, by: str, at_ns: int) -> c.ScheduleCommand:
    """The command that another program asks for, `by` unless it says who asks, at that time. Raises: `Refused`."""
    by = command.by or by
    match command:
        case AddScheduleRequest(plan=plan):
            return c.AddSchedule(replace(plan, task=checked_spec(plan.task)), at_ns, by)
        case PauseScheduleRequest():
            return c.PauseSchedule(by)
        case ResumeScheduleRequest():
            return c.ResumeSchedule(at_ns, by)
        case RemoveScheduleRequest():
            return c.RemoveSchedule(by)
        case _:
            assert_never(command)
