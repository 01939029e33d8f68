"""The kind of alarms. Nobody raises one from outside: the leader measures."""

from typing import Any, Final

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.kernel.external import ExternalCommand
from clawactors.kernel.kind import Kind
from clawactors.systems.alarms.decider import ALARM, Alarm, AlarmCommand
from clawactors.systems.alarms.events import CODEC, AlarmEvent

__all__ = ["ALARMS", "COMMANDS", "RaiseAlarmRequest"]


class RaiseAlarmRequest(ExternalCommand, frozen=True, tag="alarm.raise"):
    """Refused."""


COMMANDS: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(RaiseAlarmRequest)
"""What other programs may ask of an alarm."""


def _command_of(_command: RaiseAlarmRequest, _by: str, _at_ns: int) -> AlarmCommand:
    raise Refused("nobody raises an alarm of the cluster but its control process, which measures")


ALARMS: Final[Kind[AlarmCommand, Alarm, AlarmEvent]] = Kind(
    name="alarm",
    decider=ALARM,
    codec=CODEC,
    command_decoder=COMMANDS,
    command_of=_command_of,
    administers=True,
)
