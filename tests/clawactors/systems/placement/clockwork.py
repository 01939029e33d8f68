"""The log's clock as placement sees it, and the store of timers, as punctual as can be."""

from clawactors.eventlog.timers import TimerMark
from clawactors.systems.placement import Placement
from clawactors.systems.timers import SetTimer


class Clockwork:
    def __init__(self, placement: Placement) -> None:
        self.placement = placement
        self.marks: dict[tuple[str, str], TimerMark] = {}

    def next_ns(self) -> int | None:
        """When the next timer goes off."""
        self._set()
        return min((mark.at_ns for mark in self.marks.values()), default=None)

    def until(self, now_ns: int) -> None:
        """Lets go off what is due by then."""
        self._set()
        self.marks = {name: mark for name, mark in self.marks.items() if mark.at_ns > now_ns}
        for _, id in self.placement.state.agenda.show(now_ns):
            self.placement.state.on_timer(id)

    def _set(self) -> None:
        for change in list(self.placement.state.agenda.changes(self.placement.state.position)):
            name = (change.kind, change.id)
            if isinstance(change, SetTimer):
                mark = self.marks[name] = TimerMark(*name, change.at_ns, change.version)
                self.placement.state.agenda.saw(mark)
            else:
                self.marks.pop(name, None)
