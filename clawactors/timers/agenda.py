"""What should be set and what is, by name; the difference is the work.

1. A timer is due when it went off for the very time that its aggregate wants now. Anything else is quiet.
2. Wants and marks may come in any order: what goes off before the want is known is kept until it is.
3. Nothing is cancelled that was set by somebody who has read on further than this process.
4. Applying twice changes nothing.
"""

from collections.abc import Iterable, Iterator

import msgspec

from eventlog.timers import Mark

__all__ = ["Agenda", "Cancel", "Set"]

type Name = tuple[str, str]


class Set(msgspec.Struct, frozen=True, gc=False):
    """Set it, in place of what is there under its name."""

    kind: str
    id: str
    at_ns: int
    version: int


class Cancel(msgspec.Struct, frozen=True, gc=False):
    """Take back what is there under its name up to that place."""

    kind: str
    id: str
    place: int


class Agenda:
    """Timers by kind and id. `known` is False until the store was seen as a whole."""

    def __init__(self) -> None:
        self.known = False
        self._wanted: dict[Name, tuple[int, int]] = {}
        self._set: dict[Name, Mark] = {}
        self._fired: dict[Name, Mark] = {}
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
        fired = self._fired.get(name)
        if fired is not None and fired.at_ns != at_ns and fired.version <= version:
            del self._fired[name]
        self._compare(name)

    def is_due(self, kind: str, id: str) -> bool:
        """True when the timer that is wanted now has gone off."""
        name = (kind, id)
        wanted, fired = self._wanted.get(name), self._fired.get(name)
        return wanted is not None and fired is not None and wanted[0] == fired.at_ns

    def begin(self, marks: Iterable[Mark], position: int) -> list[Name]:
        """Takes over all that the store shows, in place of what was known of it; the names that are due."""
        self._set.clear()
        self._fired.clear()
        self._differing.clear()
        due = [name for mark in marks if (name := self.saw(mark, position)) is not None]
        for name in (*self._wanted, *self._set):
            self._compare(name)
        self.known = True
        return due

    def saw(self, mark: Mark, position: int) -> Name | None:
        """Takes in what the store shows next; its name when it is due. `position` of the log is folded by now."""
        name = (mark.kind, mark.id)
        there = self._set.get(name)
        if not mark.fired:
            self._set[name] = mark
        else:
            if there is not None and there.at_ns == mark.at_ns:
                del self._set[name]
            wanted = self._wanted.get(name)
            if (wanted is not None and wanted[0] == mark.at_ns) or mark.version > position:
                self._fired[name] = mark
        self._compare(name)
        return name if self.is_due(*name) else None

    def changes(self, position: int, limit: int = 1000) -> Iterator[Set | Cancel]:
        """What makes the store right, each once; see `again`."""
        for name in list(self._differing)[:limit]:
            wanted, there = self._wanted.get(name), self._set.get(name)
            if wanted is not None:
                del self._differing[name]
                yield Set(*name, *wanted)
            elif there is None:
                del self._differing[name]
            elif there.version <= position:
                del self._differing[name]
                del self._set[name]
                yield Cancel(*name, there.place)

    def again(self, change: Set | Cancel) -> None:
        """A change that could not be made: it is proposed again where it is still needed."""
        name = (change.kind, change.id)
        if isinstance(change, Cancel) and name not in self._set:
            self._set[name] = Mark(*name, 0, 0, place=change.place)
        self._compare(name)

    def _compare(self, name: Name) -> None:
        wanted, there = self._wanted.get(name), self._set.get(name)
        is_right = there is None if wanted is None else there is not None and there.at_ns == wanted[0]
        if is_right or self.is_due(*name):
            self._differing.pop(name, None)
        else:
            self._differing[name] = None
