"""What happened to an alarm. Tags are promises (see `clawactors.eventlog.codec`)."""

import msgspec

from clawactors.eventlog import Codec

__all__ = ["CODEC", "AlarmCleared", "AlarmEvent", "AlarmRaised"]


class AlarmRaised(msgspec.Struct, frozen=True, tag="alarm.raised"):
    """It began."""

    reason: str


class AlarmCleared(msgspec.Struct, frozen=True, tag="alarm.cleared"):
    """It is over."""

    reason: str


type AlarmEvent = AlarmRaised | AlarmCleared

CODEC: Codec[AlarmEvent] = Codec(AlarmEvent.__value__)
