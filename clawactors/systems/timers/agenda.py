"""What should be set and what is, by name; the difference is the work.

0. Only the soonest timers are set. So thousands that are due at nearly the same time, which wait in memory anyhow, cost
   the store no message each.
1. A timer is due once the time of the log has come to its time, as `show` is told. One that went off at a server whose
   clock is ahead is not due for that, and not set again.
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

    @property
    def next_ns(self) -> int | None:
        """The time of the next timer that is not due, None where there is none."""
        firsts = [first[0] for ranking in (self._armed, self._unset) if (first := ranking.first()) is not None]
        return min(firsts, default=None)

    def show(self, now_ns: int) -> list[Name]:
        """It is this time of the log, which may have been set back; the names that are due by that."""
        was_ns, self._shown_ns = self._shown_ns, now_ns
        if now_ns < was_ns:
            for name in self._wanted:
                self._compare(name)
        due: list[Name] = []
        for ranking in (self._armed, self._unset):
            while (first := ranking.first()) is not None and first[0] <= self._shown_ns:
                due.append(_name(first[1]))
                self._compare(due[-1])
        return due

    def begin(self, marks: Iterable[TimerMark]) -> None:
        """Takes over all that the store shows, in place of what was known of it."""
        self._set.clear()
        self._asked.clear()
        for mark in marks:
            self.saw(mark)
        for name in (*self._wanted, *self._set, *self._obsolete):
            self._compare(name)
        self.known = True

    def saw(self, mark: TimerMark) -> None:
        """Takes in what the store shows next."""
        name = (mark.kind, mark.id)
        if self._asked.get(name) == mark.at_ns:
            del self._asked[name]
        if not mark.fired or (there := self._set.get(name)) is None or there.at_ns == mark.at_ns:
            self._set[name] = mark
        self._compare(name)

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
        if there is not None and there.fired and not there.at_ns == at_ns > self._shown_ns:
            there = None
            del self._set[name]
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
