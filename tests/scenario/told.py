"""What clients were told, to be held against the record afterwards, offline.

1. A submission that was acknowledged is in the log, and its task has ended.
2. A result or an end that was told is the one on record, of the task as it ended then.
3. Who was told twice was told the same.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from clawactors.runtime.client import TaskFailed
from clawactors.systems.tasks import TASK, Task

__all__ = ["End", "Told"]


class End(NamedTuple):
    """How a task ended, as a client was told: its status, and its result."""

    status: str
    result: Any = None


class Told:
    """Notes what clients are told; `problems` says what of it is not so."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, None] = {}
        self.ends: dict[str, End] = {}
        self._contradictions: list[str] = []

    def submitted(self, ids: Iterable[str]) -> None:
        """These submissions were acknowledged."""
        self.acknowledged |= dict.fromkeys(ids)

    def ended(self, id: str, outcome: Any) -> None:
        """What a wait for the task returned, or the `TaskFailed` that it raised."""
        end = End(outcome.status) if isinstance(outcome, TaskFailed) else End("completed", outcome)
        before = self.ends.setdefault(id, end)
        if before != end:
            self._contradictions.append(f"task {id}: told as {before}, then as {end}")

    def open(self, tasks: Mapping[str, Task]) -> list[str]:
        """The tasks whose submission was acknowledged, and that have not ended."""
        return [id for id in self.acknowledged if not TASK.is_final(tasks.get(id, Task()))]

    def problems(self, tasks: Mapping[str, Task]) -> list[str]:
        """What is not as it was told, where `tasks` are the states that the whole log leads to."""
        found = list(self._contradictions)
        for id in self.acknowledged:
            if id not in tasks or tasks[id].spec is None:
                found.append(f"task {id} was acknowledged and is not in the log")
            elif id not in self.ends and not TASK.is_final(tasks[id]):
                found.append(f"task {id} was acknowledged and is still {tasks[id].life.status}")
        for id, told in self.ends.items():
            life = tasks.get(id, Task()).life
            recorded = End(life.status, life.result if life.status == "completed" else None)
            if told != recorded:
                found.append(f"task {id} was told as {told}, and is on record as {recorded}")
        return found
