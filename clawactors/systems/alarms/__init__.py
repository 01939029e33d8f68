"""Alarms: what is wrong with the cluster as a whole, such as a full disk: when it began, and that it is over. Pure.

In: `commands` from the leader, which measures. Out: `events` on `claw.alarm.<name>.log`, one pair for each time.
Never here: what is measured, and the limits (`clawactors.runtime.control.alarms`); whom it is told (notifications).
"""

from clawactors.systems.alarms.decider import ALARM, Alarm

__all__ = ["ALARM", "Alarm"]
