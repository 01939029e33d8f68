"""An alarm is raised once and cleared once, however often it is measured."""

from clawactors.systems.alarms import ALARM
from clawactors.systems.alarms.decider import ClearAlarm, RaiseAlarm
from clawactors.systems.alarms.events import AlarmCleared, AlarmRaised
from tests.spec import spec

given = spec(ALARM)


def test_it_is_raised_once_and_cleared_once() -> None:
    given().when(RaiseAlarm("93 %"), RaiseAlarm("95 %")).then(AlarmRaised("93 %"))
    given(AlarmRaised("93 %")).when(ClearAlarm("80 %"), ClearAlarm("79 %")).then(AlarmCleared("80 %"))
    given().when(ClearAlarm("80 %")).then()
    given(AlarmRaised("a"), AlarmCleared("b")).when(RaiseAlarm("c" * 1000)).then(AlarmRaised("c" * 300))
