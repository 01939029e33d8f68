"""Many tasks as their logs have them: each by a reading of its own, or all by one where that costs less."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import batched
from typing import Final

from clawactors.eventlog import EventLog, aggregate_pattern
from clawactors.kernel.fold import Snapshot, fold
from clawactors.systems.tasks import TASK, Task
from clawactors.systems.tasks.kind import TASKS

__all__ = ["read_tasks"]

_TOGETHER: Final = 1000
"""Tasks that one reading is of: it reads all of the log, so one of many costs as much as one of a few."""
_WORTH: Final = 500
"""So many messages of the log are read in the time that a reading for one task takes."""
_AT_ONCE: Final = 16


async def read_tasks(log: EventLog, ids: Iterable[str]) -> AsyncIterator[tuple[str, Snapshot[Task]]]:
    """Each of them once, in that order; one that does not exist in its initial state.

    Raises: what the log raises.
    """
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return
    alone = len(wanted) == 1 or len(wanted) * _WORTH <= (await log.head()).messages
    for group in batched(wanted, _AT_ONCE if alone else _TOGETHER):
        known: dict[str, Snapshot[Task]] = dict.fromkeys(group, Snapshot(TASK.initial))
        patterns = [aggregate_pattern("task", id) for id in group]
        readings = [[each] for each in patterns] if alone else [patterns]
        await asyncio.gather(*(_read(log, some, known) for some in readings))
        for id, folded in known.items():
            yield id, folded


async def _read(log: EventLog, patterns: Sequence[str], known: dict[str, Snapshot[Task]]) -> None:
    async for records in log.read(patterns):
        for record in records:
            id = record.subject.split(".", 3)[2]
            known[id] = fold(TASKS, known[id], record)
