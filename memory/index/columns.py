"""Values of every item in arrays by item number: filters and ranking read them for thousands of items at once."""

from typing import Final

import numpy as np
import numpy.typing as npt

from clawactors.memory.index.postings import Numbers

__all__ = ["NONE", "Columns", "NameTable", "Readable"]

NONE: Final = -1
"""The number that stands for no item and for no name."""

type Readable = npt.NDArray[np.bool_] | None
"""A mask by item number of what one may read; None is everything."""

_COLUMNS: Final[dict[str, tuple[str, int]]] = {
    "alive": ("?", False),
    "kind": ("i1", 0),
    "owner": ("i4", NONE),
    "speaker": ("i4", NONE),
    "session": ("i4", NONE),
    "agent": ("i4", NONE),
    "position": ("i4", 0),
    "at_ns": ("i8", 0),
    "terms": ("u2", 0),
    "importance": ("f4", 0),
    "question": ("?", False),
    "closed": ("?", False),
    "restricted": ("?", False),
    "before": ("i4", NONE),
    "after": ("i4", NONE),
}


class NameTable:
    """Maps names to small numbers."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The number of a name, assigned on first use; `NONE` for ''."""
        if not text:
            return NONE
        found = self._numbers.get(text)
        if found is None:
            found = self._numbers[text] = len(self.texts)
            self.texts.append(text)
        return found

    def find(self, text: str) -> int:
        """The number of a known name, else `NONE`."""
        return self._numbers.get(text, NONE)


class Columns:
    """The columns of all items. `count`: items with a number; `living`: those that are searched.

    `before` and `after` are the neighbours in a session; `newest_ns` is the greatest time of any item so far.
    """

    alive: npt.NDArray[np.bool_]
    kind: npt.NDArray[np.int8]
    owner: npt.NDArray[np.int32]
    speaker: npt.NDArray[np.int32]
    session: npt.NDArray[np.int32]
    agent: npt.NDArray[np.int32]
    position: npt.NDArray[np.int32]
    at_ns: npt.NDArray[np.int64]
    terms: npt.NDArray[np.uint16]
    importance: npt.NDArray[np.float32]
    question: npt.NDArray[np.bool_]
    closed: npt.NDArray[np.bool_]
    restricted: npt.NDArray[np.bool_]
    before: npt.NDArray[np.int32]
    after: npt.NDArray[np.int32]

    def __init__(self) -> None:
        self.count = 0
        self.living = 0
        self.term_sum = 0
        self.newest_ns = 0
        self.owners, self.speakers, self.sessions, self.agents = (NameTable() for _ in range(4))
        self._last: dict[int, int] = {}
        self._capacity = 0
        self._grow(1024)

    def _grow(self, capacity: int) -> None:
        for name, (dtype, empty) in _COLUMNS.items():
            column = np.full(capacity, empty, dtype)
            if self._capacity:
                column[: self._capacity] = getattr(self, name)
            setattr(self, name, column)
        self._capacity = capacity

    def set(self, number: int, values: dict[str, int | float | bool]) -> None:
        """Adds or replaces an item."""
        while number >= self._capacity:
            self._grow(2 * self._capacity)
        self.remove(number)
        self.count = max(self.count, number + 1)
        for name, value in values.items():
            getattr(self, name)[number] = value
        self.alive[number] = True
        self.living += 1
        self.term_sum += int(self.terms[number])
        self.newest_ns = max(self.newest_ns, int(self.at_ns[number]))
        self._link(number)

    def remove(self, number: int) -> None:
        """Removes an item and links its neighbours to each other."""
        if number >= self.count or not self.alive[number]:
            return
        before, after = int(self.before[number]), int(self.after[number])
        if before != NONE:
            self.after[before] = after
        if after != NONE:
            self.before[after] = before
        session = int(self.session[number])
        if self._last.get(session) == number:
            if before == NONE:
                del self._last[session]
            else:
                self._last[session] = before
        self.living -= 1
        self.term_sum -= int(self.terms[number])
        for name, (_, empty) in _COLUMNS.items():
            getattr(self, name)[number] = empty

    def _link(self, number: int) -> None:
        """Inserts a raw item into its session by position, usually at the end."""
        session = int(self.session[number])
        if session == NONE or self.kind[number] != 0:
            return
        place = (int(self.position[number]), number)
        after, before = NONE, self._last.get(session, NONE)
        while before != NONE and (int(self.position[before]), before) > place:
            after, before = before, int(self.before[before])
        self.before[number], self.after[number] = before, after
        if before != NONE:
            self.after[before] = number
        if after != NONE:
            self.before[after] = number
        else:
            self._last[session] = number

    def beside(self, numbers: Numbers, readable: Readable = None) -> tuple[Numbers, Numbers]:
        """The items before and after each one in its session: `NONE` where there is none, or one may not read it."""
        before, after = (column[numbers].astype(np.int64) for column in (self.before, self.after))
        if readable is not None:
            before, after = (np.where((near != NONE) & readable[near], near, NONE) for near in (before, after))
        return before, after

    @property
    def mean_terms(self) -> float:
        """The mean number of terms per item, at least 1."""
        return max(self.term_sum / self.living, 1.0) if self.living else 1.0

    def living_numbers(self) -> Numbers:
        """The numbers of all searched items, in ascending order."""
        return np.flatnonzero(self.alive[: self.count])
