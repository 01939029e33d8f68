"""The runs that a node keeps in memory while their tasks wait, and those of them that were woken and wait for a slot.

A run takes memory, and one of sync code a thread or a process: there are limits, and beyond them the oldest unwinds.
"""

from collections import OrderedDict
from typing import Final

from clawactors.runtime.node.attempt.assigned import Assignment
from clawactors.runtime.node.attempt.attempt import Attempt
from clawactors.systems.settings import DEFAULTS

__all__ = ["ParkedRuns"]

_THREADS_MAX: Final = 64
_PROCESSES_MAX: Final = 8


class ParkedRuns:
    """By id of the task, the longest parked first; `woken` in the order of their wakes."""

    def __init__(self) -> None:
        self._limits = {"loop": DEFAULTS.node_parked, "thread": _THREADS_MAX, "process": _PROCESSES_MAX}
        self._runs: dict[str, OrderedDict[str, Attempt]] = {where: OrderedDict() for where in self._limits}
        self.woken: OrderedDict[str, Assignment] = OrderedDict()  # a dict is slow where the first is removed often

    def limit(self, at_most: int) -> list[Attempt]:
        """Keeps at most so many of those that take only memory; the runs that have to go for it, the oldest."""
        self._limits["loop"] = at_most
        staying = [each for each in self._runs["loop"].values() if not each.is_stopping]
        return staying[: max(0, len(staying) - at_most)]

    def get(self, id: str) -> Attempt | None:
        """The run of that task, None where there is none."""
        return next((runs[id] for runs in self._runs.values() if id in runs), None)

    def __len__(self) -> int:
        return sum(map(len, self._runs.values()))

    def all(self) -> list[Attempt]:
        """All of them."""
        return [attempt for runs in self._runs.values() for attempt in runs.values()]

    def add(self, attempt: Attempt) -> Attempt | None:
        """Keeps it; the run that has to go for it, if there are too many."""
        where = _where(attempt)
        runs = self._runs[where]
        runs[attempt.id] = attempt
        if len(runs) <= self._limits[where]:
            return None
        return next((each for each in runs.values() if not each.is_stopping), None)

    def remove(self, id: str) -> Attempt | None:
        """Keeps it no longer."""
        for runs in self._runs.values():
            if (attempt := runs.pop(id, None)) is not None:
                return attempt
        return None


def _where(attempt: Attempt) -> str:
    skill = attempt.skill
    return "process" if skill is not None and skill.isolate else "thread" if skill and skill.in_thread else "loop"
