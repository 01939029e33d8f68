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


class Journal:
    """See the module. `len` counts entries, iteration gives them in order, `journal.last(name)` a step's state."""

    __slots__ = ("_entries", "_last", "_length", "_previous")

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries: list[Entry] = []
        self._previous: list[int] = []
        self._last: dict[str, int] = {}
        self._length = 0
        for entry in entries:
            self._push(entry)

    def _push(self, entry: Entry) -> None:
        self._previous.append(self._last.get(entry.name, -1))
        self._last[entry.name] = len(self._entries)
        self._entries.append(entry)
        self._length += 1

    def extended(self, entry: Entry) -> "Journal":
        """This journal with one entry more."""
        if self._length == len(self._entries):
            longer = Journal.__new__(Journal)
            longer._entries, longer._previous, longer._last = self._entries, self._previous, self._last
            longer._length = self._length
        else:  # somebody else already continued from here: branch off with storage of our own
            longer = Journal(self)
        longer._push(entry)
        return longer

    def last(self, name: str) -> Entry | None:
        """The last entry of the step, None when there is none."""
        at = self._last.get(name, -1)
        while at >= self._length:
            at = self._previous[at]
        return self._entries[at] if at >= 0 else None

    def completed(self, name: str) -> bool:
        """True when the step is done and not undone."""
        entry = self.last(name)
        return entry is not None and entry.status == "completed"

    def since(self, length: int) -> list[Entry]:
        """The entries behind the first `length`."""
        return self._entries[length : self._length]

    def steps(self) -> list[Entry]:
        """One entry a step, its last, in the order in which the steps first appeared."""
        latest: dict[str, Entry] = {}
        for entry in self:
            latest[entry.name] = entry
        return list(latest.values())

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Entry]:
        for at in range(self._length):
            yield self._entries[at]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Journal) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(entry.name for entry in self))

    def __repr__(self) -> str:
        return f"Journal({list(self)!r})"


EMPTY = Journal()
