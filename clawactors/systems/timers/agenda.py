"""What should be set and what is, by name; the difference is the work.

0. Only the soonest timers are set, for whichever goes off shows the time for all. So thousands that are due at nearly
   the same time, which wait in memory anyhow, cost the store no message each.
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
    """Timers by kind and id. `known` is False until the store was seen as a whole; `soonest`: so many are set."""

    def __init__(self, soonest: int = 64) -> None:
        self.known = False
        self._soonest = soonest
        self._shown_ns = 0
        self._wanted: dict[Name, tuple[int, int]] = {}
        self._set: dict[Name, TimerMark] = {}
        self._asked: dict[Name, int] = {}
        """The times of those whose mark was not seen yet."""
        # Of what is wanted for a time to come, what is set or about to be, and what is not.
        self._armed: Ranking[int] = Ranking()
        self._unset: Ranking[int] = Ranking()
        self._obsolete: dict[Name, None] = {}

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
        self._compare(name)

    def is_due(self, kind: str, id: str) -> bool:
        """True when the time has come for the timer that is wanted now."""
        wanted = self._wanted.get((kind, id))
        return wanted is not None and wanted[0] <= self._shown_ns

    def show(self, at_ns: int) -> list[Name]:
        """The log's clock has shown this time; the names that are due by that."""
        self._shown_ns = max(self._shown_ns, at_ns)
        due: list[Name] = []
        for ranking in (self._armed, self._unset):
            while (first := ranking.first()) is not None and first[0] <= self._shown_ns:
                due.append(_name(first[1]))
                self._compare(due[-1])
        return due

    def begin(self, marks: Iterable[TimerMark]) -> list[Name]:
        """Takes over all that the store shows, in place of what was known of it; the names that are due by that."""
        self._set.clear()
        self._asked.clear()
        due = [name for mark in marks for name in self.saw(mark)]
        for name in (*self._wanted, *self._set, *self._obsolete):
            self._compare(name)
        self.known = True
        return due

    def saw(self, mark: TimerMark) -> list[Name]:
        """Takes in what the store shows next; the names that are due by that."""
        name = (mark.kind, mark.id)
        if self._asked.get(name) == mark.at_ns:
            del self._asked[name]
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
        for name in list(self._obsolete)[:limit]:
            there = self._set.get(name)
            if there is None or there.at_ns <= self._shown_ns:
                del self._obsolete[name]
            elif there.version <= position:
                del self._obsolete[name]
                del self._set[name]
                yield CancelTimer(*name, there.place)
        for _ in range(limit):
            first, armed = self._unset.first(), self._armed.first()
            if first is None or (armed is not None and armed <= first and len(self._armed) >= self._soonest):
                return
            name = _name(first[1])
            self._asked[name] = first[0]
            self._compare(name)
            yield SetTimer(*name, *self._wanted[name])

    def again(self, change: SetTimer | CancelTimer) -> None:
        """A change that could not be made: it is proposed again where it is still needed."""
        name = (change.kind, change.id)
        if isinstance(change, CancelTimer) and name not in self._set:
            self._set[name] = TimerMark(*name, self._shown_ns + 1, 0, place=change.place)
        if isinstance(change, SetTimer):
            self._asked.pop(name, None)
        self._compare(name)

    def _compare(self, name: Name) -> None:
        key, wanted, there = _key(name), self._wanted.get(name), self._set.get(name)
        at_ns = 0 if wanted is None else wanted[0]
        if at_ns > self._shown_ns:
            is_armed = self._asked.get(name) == at_ns or (there is not None and there.at_ns == at_ns)
            here, elsewhere = (self._armed, self._unset) if is_armed else (self._unset, self._armed)
            here.put(key, at_ns)
            elsewhere.discard(key)
        else:
            self._armed.discard(key)
            self._unset.discard(key)
            self._asked.pop(name, None)
        # What is about to go off may do so: nobody is going to heed it.
        if wanted is None and there is not None and there.at_ns > self._shown_ns:
            self._obsolete[name] = None
        else:
            self._obsolete.pop(name, None)


def _key(name: Name) -> str:
    return f"{name[0]}.{name[1]}"


def _name(key: str) -> Name:
    kind, _, id = key.partition(".")
    return kind, id
