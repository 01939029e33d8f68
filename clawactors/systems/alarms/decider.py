"""The rules of an alarm: it is raised once and cleared once, however often that is measured, and by however many."""

from typing import Final, Literal, assert_never

import msgspec
from msgspec.structs import replace

from clawactors.kernel.decider import Decider
from clawactors.systems.alarms import events as e

__all__ = ["ALARM", "Alarm", "AlarmCommand", "ClearAlarm", "RaiseAlarm", "decide", "evolve"]

_REASON_MAX: Final = 300


class RaiseAlarm(msgspec.Struct, frozen=True):
    """It was measured that something is wrong."""

    reason: str


class ClearAlarm(msgspec.Struct, frozen=True):
    """It was measured that nothing is wrong any more."""

    reason: str


type AlarmCommand = RaiseAlarm | ClearAlarm
"""What `decide` takes."""


class Alarm(msgspec.Struct, frozen=True, omit_defaults=True):
    """One alarm; `reason` is of its last change, `since_ns` when that was."""

    status: Literal["absent", "raised", "cleared"] = "absent"
    reason: str = ""
    since_ns: int = 0
    times: int = 0

    @property
    def exists(self) -> bool:
        """True once it was raised."""
        return self.status != "absent"


def decide(command: AlarmCommand, alarm: Alarm) -> tuple[e.AlarmEvent, ...]:
    """The event, none where nothing changes."""
    match command:
        case RaiseAlarm(reason=reason):
            return () if alarm.status == "raised" else (e.AlarmRaised(reason[:_REASON_MAX]),)
        case ClearAlarm(reason=reason):
            return (e.AlarmCleared(reason[:_REASON_MAX]),) if alarm.status == "raised" else ()
        case _:
            assert_never(command)


def evolve(alarm: Alarm, event: e.AlarmEvent, at_ns: int) -> Alarm:
    """The state after the event; the same object where the event is illegal in this state."""
    match event:
        case e.AlarmRaised() if alarm.status != "raised":
            return Alarm("raised", event.reason, at_ns, alarm.times + 1)
        case e.AlarmCleared() if alarm.status == "raised":
            return replace(alarm, status="cleared", reason=event.reason, since_ns=at_ns)
        case e.AlarmRaised() | e.AlarmCleared():
            return alarm
        case _:
            assert_never(event)


ALARM: Final[Decider[AlarmCommand, Alarm, e.AlarmEvent]] = Decider("alarm", Alarm(), decide, evolve)
