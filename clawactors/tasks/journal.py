"""The steps of a task, in order: an immutable sequence whose newest version is extended in constant time.

1. A journal never changes; `extended` gives a longer one. Versions share storage, each sees only its own length.
2. One step name has at most one state, told by the last entry with that name.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

__all__ = ["EMPTY", "Entry", "Journal", "StepStatus"]

type StepStatus = Literal["running", "completed", "failed", "compensated"]


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """What happened to a step: `at_ns` is the log's time of it, `took_s` the seconds that the step ran."""

    name: str
    status: StepStatus
    at_ns: int
    attempt: int
    result: Any = None
    error: str = ""
    took_s: float = 0.0


class _Storage:
    """Entries in order, and for each the place of the entry before it with the same name (-1 for none)."""

    __slots__ = ("entries", "last", "previous")

    def __init__(self, entries: list[Entry], previous: list[int], last: dict[str, int]) -> None:
        self.entries, self.previous, self.last = entries, previous, last

    def push(self, entry: Entry) -> None:
        name, entries, last = entry.name, self.entries, self.last
        self.previous.append(last.get(name, -1))
        last[name] = len(entries)
        entries.append(entry)

    def branch(self, length: int) -> "_Storage":
        """Storage of its own with the first `length` entries."""
        last = self.last.copy()
        for entry, previous in zip(reversed(self.entries[length:]), reversed(self.previous[length:]), strict=True):
            if previous >= 0:
                last[entry.name] = previous
            else:
                del last[entry.name]
        return _Storage(self.entries[:length], self.previous[:length], last)


class Journal:
    """See the module. `len` counts entries, iteration gives them in order, `journal.last(name)` a step's state."""

    __slots__ = ("_length", "_storage")

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._storage = _Storage([], [], {})
        self._length = 0
        for entry in entries:
            self._storage.push(entry)
            self._length += 1

    def extended(self, entry: Entry) -> "Journal":
        """This journal with one entry more."""
        storage, length = self._storage, self._length
        if length == 0:  # all tasks begin with the same empty journal
            storage = _Storage([], [], {})
        elif length != len(storage.entries):  # somebody else has continued from here already
            storage = storage.branch(length)
        storage.push(entry)
        longer = Journal.__new__(Journal)
        longer._storage, longer._length = storage, length + 1
        return longer

    def last(self, name: str) -> Entry | None:
        """The last entry of the step, None when there is none."""
        storage = self._storage
        at = storage.last.get(name, -1)
        while at >= self._length:
            at = storage.previous[at]
        return storage.entries[at] if at >= 0 else None

    def completed(self, name: str) -> bool:
        """True when the step is done and not undone."""
        entry = self.last(name)
        return entry is not None and entry.status == "completed"

    def since(self, length: int) -> list[Entry]:
        """The entries behind the first `length`."""
        return self._storage.entries[length : self._length]

    def steps(self) -> list[Entry]:
        """One entry a step, its last, in the order in which the steps first appeared."""
        latest: dict[str, Entry] = {}
        for entry in self:
            latest[entry.name] = entry
        return list(latest.values())

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
