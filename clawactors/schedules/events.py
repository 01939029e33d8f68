"""What happened to a schedule. Tags are promises (see `eventlog.codec`); times in ns since 1970."""

from typing import Literal

import msgspec

from clawactors.tasks.events import Count, Spec
from eventlog import Codec

__all__ = ["CODEC", "Added", "CatchUp", "Fired", "Paused", "Plan", "Removed", "Resumed", "ScheduleEvent"]

type CatchUp = Literal["fire", "skip", "coalesce"]
"""What becomes of times that passed while nobody could fire: all of them come, none does, or one for all."""


class Plan(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What was asked for: `task` at each time of the cron line `cron` in the zone."""

    cron: str
    task: Spec
    zone: str = "UTC"
    catch_up: CatchUp = "coalesce"


class _Event(msgspec.Struct, frozen=True, omit_defaults=True):
    pass


class Added(Plan, frozen=True, omit_defaults=True, kw_only=True, tag="schedule.added"):
    """It exists; its first time is `next_ns`."""

    next_ns: Count
    by: str = ""


class Paused(_Event, frozen=True, tag="schedule.paused"):
    """Nothing comes until it is resumed."""

    by: str = ""


class Resumed(_Event, frozen=True, tag="schedule.resumed"):
    """It goes on with the next time; those of the pause do not come."""

    next_ns: Count
    by: str = ""


class Fired(_Event, frozen=True, kw_only=True, tag="schedule.fired"):
    """Its time `due_ns` came. `times` have their tasks, `next_ns` is what comes next, 0 for nothing."""

    due_ns: Count
    times: tuple[Count, ...] = ()
    next_ns: Count = 0


class Removed(_Event, frozen=True, tag="schedule.removed"):
    """It is no more; the name may be used again."""

    by: str = ""


type ScheduleEvent = Added | Paused | Resumed | Fired | Removed

CODEC: Codec[ScheduleEvent] = Codec(ScheduleEvent.__value__)
