"""The steps of a task, in order: an immutable sequence whose newest version is extended in constant time.

1. A journal never changes; `extended` gives a longer one. Versions share storage, each sees only its own length.
2. One step name has at most one state, told by the last entry with that name.
3. Signals are entries too: those of one name are kept in the order in which they came.
"""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Literal, NamedTuple

import msgspec

from clawactors.systems.tasks.stepevents import Undo

__all__ = ["EMPTY", "PATCHED", "RECOVERY", "RESERVED", "SIGNAL", "Entry", "Journal", "StepStatus"]

type StepStatus = Literal["running", "completed", "failed", "compensated", "undo_failed", "signalled"]

SIGNAL = "signal:"
"""What the names of signals begin with in a journal; no step's name does."""

RESERVED = "claw:"
"""What the names of signals begin with that control and nodes send; nobody else may."""

PATCHED = "patched:"
"""What the names of marks begin with that say which changes of its code a run has; steps' names can't."""

RECOVERY = "recovery:"
"""What the names of steps begin with that a skill's `recover` takes: its number, "/" and the name follow; the number
alone is the mark that it has returned."""


class Entry(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What happened to a step: `at_ns` is the log's time of it, `took_s` the seconds that the step ran."""

    name: str
    status: StepStatus
    at_ns: int
    attempt: int
    result: Any = None
    error: str = ""
    took_s: float = 0.0
    fingerprint: str = ""
    undo: Undo | None = None

    @property
    def is_done(self) -> bool:
        """True when what the step did is in the world, so that it must not be done again."""
        return self.status in ("completed", "undo_failed")


class _Said(NamedTuple):
    """What the first `seen` entries of a name say by key, each with the place of its entry."""

    seen: int
    by_key: dict[str, tuple[tuple[int, Any], ...]]
    read: Callable[[Entry], Iterable[tuple[str, Any]]]


class _Storage:
    """Entries in order, and for each name the places of its entries."""

    __slots__ = ("entries", "places", "said")

    def __init__(self, entries: list[Entry], places: dict[str, list[int]]) -> None:
        self.entries, self.places = entries, places
        self.said: dict[str, _Said] | None = None
        """By name, what its entries say; None until somebody asks."""

    def push(self, entry: Entry) -> None:
        entries = self.entries
        if (places := self.places.get(entry.name)) is None:
            self.places[entry.name] = [len(entries)]
        else:
            places.append(len(entries))
        entries.append(entry)

    def branch(self, length: int) -> "_Storage":
        """Storage of its own with the first `length` entries."""
        places = {name: places[: bisect_left(places, length)] for name, places in self.places.items()}
        branch = _Storage(self.entries[:length], places)
        for name, (seen, by_key, read) in (self.said or {}).items():
            kept, by_key = len(places.get(name, ())), by_key.copy()
            for place in self.places[name][kept:seen]:
                for key, _ in read(self.entries[place]):
                    by_key[key] = tuple(each for each in by_key[key] if each[0] < length)
            branch.said = (branch.said or {}) | {name: _Said(min(seen, kept), by_key, read)}
        return branch

    def read(self, name: str, read: Callable[[Entry], Iterable[tuple[str, Any]]]) -> _Said:
        """What all entries of the name say; each is read once."""
        places, said = self.places.get(name, ()), (self.said or {}).get(name) or _Said(0, {}, read)
        if said.seen < len(places):
            for place in places[said.seen :]:
                for key, value in read(self.entries[place]):
                    said.by_key[key] = (*said.by_key.get(key, ()), (place, value))
            said = said._replace(seen=len(places))
            self.said = (self.said or {}) | {name: said}
        return said


class Journal:
    """See the module. `len` counts entries, iteration gives them in order, `journal.last(name)` a step's state."""

    __slots__ = ("_length", "_storage")

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._storage = _Storage([], {})
        self._length = 0
        for entry in entries:
            self._storage.push(entry)
            self._length += 1

    @classmethod
    def from_list(cls, entries: list[Any]) -> "Journal":
        """The journal of entries in their JSON form."""
        return cls(msgspec.convert(entries, list[Entry]))

    def extended(self, entry: Entry) -> "Journal":
        """This journal with one entry more."""
        storage, length = self._storage, self._length
        if length == 0:  # all tasks begin with the same empty journal
            storage = _Storage([], {})
        elif length != len(storage.entries):  # somebody else has continued from here already
            storage = storage.branch(length)
        storage.push(entry)
        longer = Journal.__new__(Journal)
        longer._storage, longer._length = storage, length + 1
        return longer

    def last(self, name: str) -> Entry | None:
        """The last entry of the name, None when there is none."""
        places = self._storage.places.get(name)
        if not places:
            return None
        if places[-1] < self._length:
            return self._storage.entries[places[-1]]
        return self.nth(name, self.count(name) - 1)

    def count(self, name: str) -> int:
        """How many entries have the name."""
        return bisect_left(self._storage.places.get(name, ()), self._length)

    def nth(self, name: str, n: int) -> Entry | None:
        """The n-th entry of the name, from 0, None when there are fewer."""
        return self._storage.entries[self._storage.places[name][n]] if 0 <= n < self.count(name) else None

    def last_said[V](self, name: str, key: str, read: Callable[[Entry], Iterable[tuple[str, V]]], default: V) -> V:
        """What the entries of the name say last of the key, or the default; `read` gets each entry once."""
        said = self._storage.read(name, read).by_key.get(key, ())
        return next((value for place, value in reversed(said) if place < self._length), default)

    def completed(self, name: str) -> bool:
        """True when the step is done and not undone."""
        entry = self.last(name)
        return entry is not None and entry.is_done

    def since(self, length: int) -> list[Entry]:
        """The entries behind the first `length`."""
        return self._storage.entries[length : self._length]

    def steps(self) -> list[Entry]:
        """One entry a step, its last, in the order in which the steps first appeared; no signals."""
        latest: dict[str, Entry] = {}
        for entry in self:
            if entry.status != "signalled":
                latest[entry.name] = entry
        return list(latest.values())

    def to_undo(self, skipped: Collection[str] = ()) -> list[Entry]:
        """The steps that are done and can be undone, the last one first, without those."""
        return [each for each in reversed(self.steps()) if each.is_done and each.undo and each.name not in skipped]

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._storage.entries[: self._length])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Journal) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(entry.name for entry in self))

    def __repr__(self) -> str:
        return f"Journal({list(self)!r})"


EMPTY = Journal()
