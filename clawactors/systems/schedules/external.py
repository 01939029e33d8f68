"""Commands to schedules as other programs write them."""

from typing import Any, Final, assert_never

import msgspec
from msgspec.structs import replace

from clawactors.kernel.external import ExternalCommand
from clawactors.systems.schedules import commands as c
from clawactors.systems.schedules.events import SchedulePlan
from clawactors.systems.tasks.submission import checked_spec

__all__ = ["COMMANDS", "command_of"]


class _ScheduleCommandIn(ExternalCommand, frozen=True, kw_only=True):
    """`by` is who asks."""

    by: str = ""


class _Add(_ScheduleCommandIn, frozen=True, kw_only=True, tag="schedule.add"):
    plan: SchedulePlan


class _Pause(_ScheduleCommandIn, frozen=True, tag="schedule.pause"):
    pass


class _Resume(_ScheduleCommandIn, frozen=True, tag="schedule.resume"):
    pass


class _Remove(_ScheduleCommandIn, frozen=True, tag="schedule.remove"):
    pass


type _Any = _Add | _Pause | _Resume | _Remove

COMMANDS: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(_Any.__value__)
"""What other programs may ask of a schedule."""


def command_of(command: _Any, by: str, at_ns: int) -> c.ScheduleCommand:
    """The command that another program asks for, `by` unless it says who asks, at that time. Raises: `Refused`."""
    by = command.by or by
    match command:
        case _Add(plan=plan):
            return c.AddSchedule(replace(plan, task=checked_spec(plan.task)), at_ns, by)
        case _Pause():
            return c.PauseSchedule(by)
        case _Resume():
            return c.ResumeSchedule(at_ns, by)
        case _Remove():
            return c.RemoveSchedule(by)
        case _:
            assert_never(command)
