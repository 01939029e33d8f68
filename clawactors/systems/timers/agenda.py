"""What should be set and what is, by name; the difference is the work.

1. A timer is due once the log's clock has shown its time: a timer that goes off shows its own, a record that of its
   commit. What shows one time shows it for all timers.
2. Nothing is cancelled that was set by somebody who has read on further than this process.
3. Applying twice changes nothing, and nothing depends on the order in which wants and marks come.
"""

from collections.abc import Iterable, Iterator

import msgspec

from clawactors.eventlog.timers import TimerMark
from clawactors.kernel.ranking import Ranking

__all__ = ["Agenda", "CancelTimer", "SetTimer"]

type Name = tuple[str, str]


class SetTimer(msgspec.Struct, frozen=True, gc=False):
    """Set it, in place of what is there under its name."""

    kind: str
    id: str
    at_ns: int
    version: int


class CancelTimer(msgspec.Struct, frozen=True, gc=False):
    """Take back what is there under its name up to that place."""

    kind: str
    id: str
    place: int


class Agenda:
    """Timers by kind and id. `known` is False until the store was seen as a whole."""

    def __init__(self) -> None:
        self.known = False
        self._shown_ns = 0
        self._wanted: dict[Name, tuple[int, int]] = {}
        self._next: Ranking[int] = Ranking()
        self._set: dict[Name, TimerMark] = {}
        self._differing: dict[Name, None] = {}

    def want(self, kind: str, id: str, at_ns: int | None, version: int) -> None:
        """The aggregate wants this timer as of its version, None for none."""
        name = (kind, id)
        if at_ns is None:
            if self._wanted.pop(name, None) is None:
                return
        else:
            known = self._wanted.get(name)
            if known is not None and known[0] == at_ns:
                return
            self._wanted[name] = (at_ns, version)
        if at_ns is not None and at_ns > self._shown_ns:
            self._next.put(_key(name), at_ns)
        else:
            self._next.discard(_key(name))
        self._compare(name)

    def is_due(self, kind: str, id: str) -> bool:
        """True when the time has come for the timer that is wanted now."""
        wanted = self._wanted.get((kind, id))
        return wanted is not None and wanted[0] <= self._shown_ns

    def show(self, at_ns: int) -> list[Name]:
        """The log's clock has shown this time; the names that are due by that."""
        self._shown_ns = max(self._shown_ns, at_ns)
        due: list[Name] = []
        while (first := self._next.first()) is not None and first[0] <= self._shown_ns:
            self._next.discard(first[1])
            kind, _, id = first[1].partition(".")
            due.append((kind, id))
            self._compare((kind, id))
        return due

    def begin(self, marks: Iterable[TimerMark]) -> list[Name]:
        """Takes over all that the store shows, in place of what was known of it; the names that are due by that."""
        self._set.clear()
        self._differing.clear()
        due = [name for mark in marks for name in self.saw(mark)]
        for name in (*self._wanted, *self._set):
            self._compare(name)
        self.known = True
        return due

    def saw(self, mark: TimerMark) -> list[Name]:
        """Takes in what the store shows next; the names that are due by that."""
        name = (mark.kind, mark.id)
        if not mark.fired:
            self._set[name] = mark
            self._compare(name)
            return []
        if (there := self._set.get(name)) is not None and there.at_ns == mark.at_ns:
            del self._set[name]
        self._compare(name)
        return self.show(mark.at_ns)

    def changes(self, position: int, limit: int = 1000) -> Iterator[SetTimer | CancelTimer]:
        """What makes the store right, each once; see `again`. `position` of the log is folded by now."""
        for name in list(self._differing)[:limit]:
            wanted, there = self._wanted.get(name), self._set.get(name)
            if wanted is not None:
                del self._differing[name]
                yield SetTimer(*name, *wanted)
            elif there is None or there.at_ns <= self._shown_ns:
                del self._differing[name]
            elif there.version <= position:
                del self._differing[name]
                del self._set[name]
                yield CancelTimer(*name, there.place)

    def again(self, change: SetTimer | CancelTimer) -> None:
        """A change that could not be made: it is proposed again where it is still needed."""
        name = (change.kind, change.id)
        if isinstance(change, CancelTimer) and name not in self._set:
            self._set[name] = TimerMark(*name, self._shown_ns + 1, 0, place=change.place)
        self._compare(name)

    def _compare(self, name: Name) -> None:
        wanted, there = self._wanted.get(name), self._set.get(name)
        if wanted is None:  # what is about to go off may do so: nobody is going to heed it
            is_right = there is None or there.at_ns <= self._shown_ns
        else:
            is_right = wanted[0] <= self._shown_ns or (there is not None and there.at_ns == wanted[0])
        if is_right:
            self._differing.pop(name, None)
        else:
            self._differing[name] = None


def _key(name: Name) -> str:
    return f"{name[0]}.{name[1]}"
