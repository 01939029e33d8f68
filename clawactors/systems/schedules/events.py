"""What happened to a schedule. Tags are promises (see `clawactors.eventlog.codec`); times in ns since 1970."""

from typing import Literal

import msgspec

from clawactors.eventlog import Codec
from clawactors.systems.tasks.events import Count, Spec

__all__ = [
    "CODEC",
    "CatchUp",
    "ScheduleAdded",
    "ScheduleEvent",
    "ScheduleFired",
    "SchedulePaused",
    "SchedulePlan",
    "ScheduleRemoved",
    "ScheduleResumed",
]

type CatchUp = Literal["fire", "skip", "coalesce"]
"""What becomes of times that passed while nobody could fire: all of them come, none does, or one for all."""


class SchedulePlan(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What was asked for: `task` at each time of the cron line `cron` in the zone."""

    cron: str
    task: Spec
    zone: str = "UTC"
    catch_up: CatchUp = "coalesce"


class _ScheduleEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    pass


class ScheduleAdded(SchedulePlan, frozen=True, omit_defaults=True, kw_only=True, tag="schedule.added"):
    """It exists; its first time is `next_ns`."""

    next_ns: Count
    by: str = ""


class SchedulePaused(_ScheduleEvent, frozen=True, tag="schedule.paused"):
    """Nothing comes until it is resumed."""

    by: str = ""


class ScheduleResumed(_ScheduleEvent, frozen=True, tag="schedule.resumed"):
    """It goes on with the next time; those of the pause do not come."""

    next_ns: Count
    by: str = ""


class ScheduleFired(_ScheduleEvent, frozen=True, kw_only=True, tag="schedule.fired"):
    """Its time `due_ns` came. `times` have their tasks, `next_ns` is what comes next, 0 for nothing."""

    due_ns: Count
    times: tuple[Count, ...] = ()
    next_ns: Count = 0


class ScheduleRemoved(_ScheduleEvent, frozen=True, tag="schedule.removed"):
    """It was removed; its name may be used again."""

    by: str = ""


type ScheduleEvent = ScheduleAdded | SchedulePaused | ScheduleResumed | ScheduleFired | ScheduleRemoved

CODEC: Codec[ScheduleEvent] = Codec(ScheduleEvent.__value__)
