"""All schedules as of a position of the log, and which of them are due."""

from collections.abc import Iterable, Sequence

from clawactors.kernel.fold import Snapshot
from clawactors.systems.schedules.decider import SCHEDULE, Schedule
from clawactors.systems.schedules.events import ScheduleEvent
from clawactors.systems.timers import Agenda

__all__ = ["TIMER", "Roster"]

TIMER = "schedule"
"""The kind of their timers."""


class Roster:
    """Folds schedules; `due` are the names of those whose timer has gone off. What is frozen is left alone."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self._known: dict[str, Snapshot[Schedule]] = {}
        self._frozen: set[str] = set()
        self.due: dict[str, None] = {}

    def load(self, schedules: Iterable[tuple[str, int, Schedule]], frozen: Iterable[tuple[str, str]]) -> None:
        """Starts from a view instead of from the first event."""
        self._frozen.update(name for kind, name in frozen if kind == SCHEDULE.kind)
        for name, version, schedule in schedules:
            self._know(name, Snapshot(schedule, version))

    def known(self, name: str) -> Snapshot[Schedule]:
        """The schedule, as known here."""
        return self._known.get(name) or Snapshot(SCHEDULE.initial)

    def apply(self, name: str, version: int, events: Sequence[ScheduleEvent], at_ns: int) -> None:
        """Folds a commit; one that says nothing still counts as a version."""
        known = self.known(name)
        if version <= known.version:
            return
        schedule = known.state
        for event in events:
            schedule = SCHEDULE.evolve(schedule, event, at_ns)
        self._know(name, Snapshot(schedule, version))

    def take(self, name: str, version: int, schedule: Schedule) -> None:
        """Takes over what this process has written before the log brings it."""
        if version > self.known(name).version:
            self._know(name, Snapshot(schedule, version))

    def freeze(self, name: str) -> None:
        """A later release has written to it."""
        self._frozen.add(name)
        self.due.pop(name, None)

    def on_timer(self, name: str) -> None:
        """Its timer has gone off."""
        self._look(name)

    def _know(self, name: str, known: Snapshot[Schedule]) -> None:
        self._known[name] = known
        self._agenda.want(TIMER, name, known.state.due_ns, known.version)
        self._look(name)

    def _look(self, name: str) -> None:
        if self._agenda.is_due(TIMER, name) and name not in self._frozen:
            self.due[name] = None
        else:
            self.due.pop(name, None)
