"""The store of timers, as punctual as can be: sets what placement's agenda asks for, and lets it go off in time."""

from clawactors.placement import Placement
from clawactors.timers import Set
from eventlog.timers import Mark


class Clockwork:
    def __init__(self, placement: Placement) -> None:
        self.placement = placement
        self.marks: dict[tuple[str, str], Mark] = {}

    def next_ns(self) -> int | None:
        """When the next timer goes off."""
        self._set()
        return min((mark.at_ns for mark in self.marks.values()), default=None)

    def until(self, now_ns: int) -> None:
        """Lets go off what is due by then."""
        self._set()
        for name, mark in list(self.marks.items()):
            if mark.at_ns <= now_ns:
                del self.marks[name]
                self._saw(Mark(*name, mark.at_ns, mark.version, fired=True))

    def _set(self) -> None:
        for change in list(self.placement.agenda.changes(self.placement.position)):
            if isinstance(change, Set):
                mark = self.marks[change.kind, change.id] = Mark(change.kind, change.id, change.at_ns, change.version)
                self._saw(mark)
            else:
                self.marks.pop((change.kind, change.id), None)

    def _saw(self, mark: Mark) -> None:
        if (due := self.placement.agenda.saw(mark, self.placement.position)) is not None:
            self.placement.ring(due[1])
