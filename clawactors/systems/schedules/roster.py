"""All schedules as of a position of the log, and which of them are due."""

from typing import override

from clawactors.kernel.fold import Snapshot
from clawactors.kernel.roster import Roster
from clawactors.systems.schedules.commands import ScheduleCommand
from clawactors.systems.schedules.decider import SCHEDULE, Schedule
from clawactors.systems.schedules.events import ScheduleEvent
from clawactors.systems.timers import Agenda

__all__ = ["TIMER", "ScheduleRoster"]

TIMER = "schedule"
"""The kind of their timers."""


class ScheduleRoster(Roster[ScheduleCommand, Schedule, ScheduleEvent]):
    """The schedules; `due` are the names of those whose timer has gone off."""

    def __init__(self, agenda: Agenda) -> None:
        super().__init__(SCHEDULE)
        self._agenda = agenda
        self.due: dict[str, None] = {}

    def take(self, name: str, version: int, schedule: Schedule) -> None:
        """Takes over what this process has written before the log brings it."""
        if version > self.known(name).version:
            self.know(name, Snapshot(schedule, version))

    @override
    def freeze(self, name: str) -> None:
        """A later release has written to it."""
        super().freeze(name)
        self.due.pop(name, None)

    def on_timer(self, name: str) -> None:
        """Its timer has gone off."""
        self._look(name)

    @override
    def know(self, name: str, known: Snapshot[Schedule]) -> None:
        """Keeps what is known of that one now."""
        super().know(name, known)
        self._agenda.want(TIMER, name, known.state.due_ns, known.version)
        self._look(name)

    def _look(self, name: str) -> None:
        if self._agenda.is_due(TIMER, name) and name not in self.frozen:
            self.due[name] = None
        else:
            self.due.pop(name, None)
