"""The state machine of a schedule.

1. It fires for the very time that is next in its state; anything else is quiet, so a time fires once.
2. A time that comes late by more than a minute is missed: what becomes of it is said by the plan. Those of a pause
   never come.
3. A repeated command is quiet, a contradicting one is refused; the name is free again after `Remove`.
"""

from datetime import UTC, datetime
from typing import Final, Literal, assert_never

import msgspec
from msgspec.structs import replace

from clawactors.kernel.decider import Decider
from clawactors.kernel.errors import Exists, Refused
from clawactors.systems.schedules import commands as c
from clawactors.systems.schedules import cron
from clawactors.systems.schedules import events as e

__all__ = ["AT_ONCE", "NAME_MAX", "ON_TIME_S", "SCHEDULE", "Schedule", "decide", "evolve", "task_id"]

NAME_MAX: Final = 100
"""Leaves room for the time in the ids of its tasks."""
AT_ONCE: Final = 100
"""Missed times that are fired in one commit, at most; the rest follows at once."""
ON_TIME_S: Final = 60
"""A time that comes no later than this is not missed."""

type Status = Literal["absent", "active", "paused", "removed"]


class Schedule(msgspec.Struct, frozen=True, omit_defaults=True):
    """One schedule; `next_ns` 0 while nothing is to come, `last_ns` the newest time that has its task."""

    status: Status = "absent"
    plan: e.SchedulePlan | None = None
    next_ns: int = 0
    last_ns: int = 0
    fired: int = 0
    added_ns: int = 0
    updated_ns: int = 0

    @property
    def exists(self) -> bool:
        """True while it is there, paused or not."""
        return self.status in ("active", "paused")

    @property
    def due_ns(self) -> int | None:
        """The time that its timer is for."""
        return self.next_ns if self.status == "active" and self.next_ns else None


def task_id(name: str, at_ns: int) -> str:
    """The id of the task for that time: the same for every process that fires it, however often."""
    return f"{name}-{datetime.fromtimestamp(at_ns // 1_000_000_000, UTC):%Y%m%dT%H%M%SZ}"


def decide(command: c.ScheduleCommand, schedule: Schedule) -> tuple[e.ScheduleEvent, ...]:
    """The events that the command leads to in this state, none for a repeat. Raises `Refused`."""
    plan = schedule.plan
    if isinstance(command, c.AddSchedule):
        return _add(command, schedule)
    if isinstance(command, c.FireSchedule) and (plan is None or schedule.due_ns != command.due_ns):
        return ()
    if plan is None or not schedule.exists:
        raise Refused("there is no such schedule")
    match command:
        case c.PauseSchedule():
            return () if schedule.status == "paused" else (e.SchedulePaused(command.by),)
        case c.ResumeSchedule():
            if schedule.status == "active":
                return ()
            return (e.ScheduleResumed(cron.after(plan.cron, plan.zone, command.now_ns), command.by),)
        case c.FireSchedule():
            return (_fired(plan, command),)
        case c.RemoveSchedule():
            return (e.ScheduleRemoved(command.by),)
        case _:
            assert_never(command)


def _add(command: c.AddSchedule, schedule: Schedule) -> tuple[e.ScheduleEvent, ...]:
    plan = command.plan
    if schedule.exists:
        if schedule.plan == plan:
            return ()
        raise Exists("exists with a different plan; remove it first or choose another name")
    cron.checked(plan.cron, plan.zone, command.now_ns)
    fields = {name: getattr(plan, name) for name in e.SchedulePlan.__struct_fields__}
    return (e.ScheduleAdded(**fields, next_ns=cron.after(plan.cron, plan.zone, command.now_ns), by=command.by),)


def _fired(plan: e.SchedulePlan, command: c.FireSchedule) -> e.ScheduleFired:
    due_ns, now_ns = command.due_ns, max(command.now_ns, command.due_ns)
    on_time_ns = now_ns - ON_TIME_S * 1_000_000_000
    first = due_ns
    if due_ns < on_time_ns and plan.catch_up == "coalesce":
        first = max(due_ns, cron.until(plan.cron, plan.zone, now_ns))
    elif due_ns < on_time_ns and plan.catch_up == "skip":
        first = cron.after(plan.cron, plan.zone, on_time_ns - 1)
    times: list[int] = []
    while 0 < first <= now_ns and len(times) < AT_ONCE:
        times.append(first)
        first = cron.after(plan.cron, plan.zone, first)
    return e.ScheduleFired(due_ns=due_ns, times=tuple(times), next_ns=first)


def evolve(schedule: Schedule, event: e.ScheduleEvent, at_ns: int) -> Schedule:
    """The state after the event; the same object where the event is illegal in this state."""
    match event:
        case e.ScheduleAdded() if not schedule.exists:
            plan = e.SchedulePlan(**{name: getattr(event, name) for name in e.SchedulePlan.__struct_fields__})
            return Schedule("active", plan, event.next_ns, added_ns=at_ns, updated_ns=at_ns)
        case e.SchedulePaused() if schedule.status == "active":
            return replace(schedule, status="paused", updated_ns=at_ns)
        case e.ScheduleResumed() if schedule.status == "paused":
            return replace(schedule, status="active", next_ns=event.next_ns, updated_ns=at_ns)
        case e.ScheduleFired() if schedule.due_ns is not None and event.due_ns == schedule.next_ns:
            return replace(
                schedule,
                next_ns=event.next_ns,
                last_ns=max((schedule.last_ns, *event.times)),
                fired=schedule.fired + len(event.times),
                updated_ns=at_ns,
            )
        case e.ScheduleRemoved() if schedule.exists:
            return replace(schedule, status="removed", next_ns=0, updated_ns=at_ns)
        case e.ScheduleAdded() | e.SchedulePaused() | e.ScheduleResumed() | e.ScheduleFired() | e.ScheduleRemoved():
            return schedule
        case _:
            assert_never(event)


def _is_final(schedule: Schedule) -> bool:
    return schedule.status == "removed"


SCHEDULE: Decider[c.ScheduleCommand, Schedule, e.ScheduleEvent] = Decider(
    "schedule", Schedule(), decide, evolve, _is_final
)
