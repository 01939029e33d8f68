"""What can be asked of a schedule; `now_ns` is the time of the log, ns since 1970."""

import msgspec

from clawactors.schedules.events import Plan

__all__ = ["Add", "Fire", "Pause", "Remove", "Resume", "ScheduleCommand"]


class _Command(msgspec.Struct, frozen=True):
    pass


class Add(_Command, frozen=True):
    """Make it."""

    plan: Plan
    now_ns: int
    by: str = ""


class Pause(_Command, frozen=True):
    """Let nothing come for a while."""

    by: str = ""


class Resume(_Command, frozen=True):
    """Let it go on."""

    now_ns: int
    by: str = ""


class Fire(_Command, frozen=True):
    """The timer for its time `due_ns` has gone off."""

    due_ns: int
    now_ns: int


class Remove(_Command, frozen=True):
    """Let nothing come any more."""

    by: str = ""


type ScheduleCommand = Add | Pause | Resume | Fire | Remove
"""What `decide` takes."""
