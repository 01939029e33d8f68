"""Whose turn a signal is, where branches of a task's code wait for signals of one name.

1. A signal is taken by the one that has waited longest, of those that still wait.
2. Once a second branch waits for the name, who took which is on record: on a resume each gets its own again.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from clawactors.runtime.node.sleep import SLEEP
from clawactors.systems.tasks.journal import Entry

__all__ = ["SignalTurn", "SignalTurns"]

_TAKEN: Final = ":taken"


class SignalTurn:
    """One take. `number` is that of its signal among those of the name, from 0, as it is now."""

    def __init__(self, turns: "SignalTurns", path: str, own: int | None) -> None:
        self._turns, self.path, self._own = turns, path, own

    @property
    def is_recorded(self) -> bool:
        """True where an earlier attempt has recorded which signal it took."""
        return self._own is not None

    @property
    def number(self) -> int:
        """Smaller once somebody before it waits no longer."""
        return self._turns.number_of(self) if self._own is None else self._own


class SignalTurns:
    """The takes of one name in one attempt; `entries` are those of the journal that it resumes from."""

    def __init__(self, name: str, entries: Iterable[Entry]) -> None:
        self._name = name
        self._waiting: list[SignalTurn] = []
        self._counts: dict[str, int] = {}
        recorded = re.compile(rf"{SLEEP}(?:.+/)?{re.escape(name)}#\d+{_TAKEN}")
        self._records: dict[str, Any] = {each.name: each.result for each in entries if recorded.fullmatch(each.name)}
        self._next, self._taken = 0, set(self._records.values())
        """All below `_next` are taken, and these."""

    def enter(self, path: str) -> SignalTurn:
        """The branch of that path waits for one more."""
        number = self._counts.setdefault(path, 0) + sum(each.path == path for each in self._waiting)
        turn = SignalTurn(self, path, self._records.get(self._step(path, number)))
        if not turn.is_recorded:
            self._waiting.append(turn)
        return turn

    def _step(self, path: str, number: int) -> str:
        """The name under which it is recorded what the branch took."""
        return (
            f"{SLEEP}{path}/{self._name}#{number + 1}{_TAKEN}" if path else f"{SLEEP}{self._name}#{number + 1}{_TAKEN}"
        )

    def number_of(self, turn: SignalTurn) -> int:
        """See `SignalTurn.number`."""
        number, before = self._next, self._waiting.index(turn)
        while before or number in self._taken:
            before -= number not in self._taken
            number += 1
        return number

    @property
    def are_shared(self) -> bool:
        """True once several branches have waited for the name."""
        return len(self._counts) > 1

    def take(self, turn: SignalTurn) -> tuple[int, str]:
        """It has its signal: the number of that, and the step that records it, where it is to be recorded."""
        number, step = turn.number, self._step(turn.path, self._counts[turn.path])
        self._counts[turn.path] += 1
        if not turn.is_recorded:
            self._waiting.remove(turn)
            self._taken.add(number)
        while self._next in self._taken:
            self._taken.discard(self._next)
            self._next += 1
        return number, step

    def leave(self, turn: SignalTurn) -> bool:
        """It waits no longer; true where others do, whose numbers may be smaller now."""
        if turn in self._waiting:
            self._waiting.remove(turn)
        return bool(self._waiting)
