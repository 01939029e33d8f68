"""Timers: what the log waits for, brought in line with the timers that the server keeps. Pure.

In: what each aggregate wants after an event (`Agenda.want`), and what the store of timers shows (`Agenda.saw`).
Out: timers to set and to cancel (`Agenda.changes`), carried out by the leader; timers that are due.
The events are the truth: a store of timers that is lost, late or wrong is made right again from them.
Never here: a clock; it is told the time of the log.
"""

from clawactors.systems.timers.agenda import Agenda, CancelTimer, SetTimer

__all__ = ["Agenda", "CancelTimer", "SetTimer"]
