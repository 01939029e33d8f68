"""What can be asked of a schedule; `now_ns` is the time of the log, ns since 1970."""

import msgspec

from clawactors.systems.schedules.events import SchedulePlan

__all__ = ["AddSchedule", "FireSchedule", "PauseSchedule", "RemoveSchedule", "ResumeSchedule", "ScheduleCommand"]


class _ScheduleCommand(msgspec.Struct, frozen=True):
    pass


class AddSchedule(_ScheduleCommand, frozen=True):
    """Make it."""

    plan: SchedulePlan
    now_ns: int
    by: str = ""


class PauseSchedule(_ScheduleCommand, frozen=True):
    """Let nothing come for a while."""

    by: str = ""


class ResumeSchedule(_ScheduleCommand, frozen=True):
    """Let it go on."""

    now_ns: int
    by: str = ""


class FireSchedule(_ScheduleCommand, frozen=True):
    """The timer for its time `due_ns` has gone off."""

    due_ns: int
    now_ns: int


class RemoveSchedule(_ScheduleCommand, frozen=True):
    """Let nothing come any more."""

    by: str = ""


type ScheduleCommand = AddSchedule | PauseSchedule | ResumeSchedule | FireSchedule | RemoveSchedule
"""What `decide` takes."""
