"""Many tasks as their logs have them: one reading for many, where each alone would cost a consumer."""

from collections.abc import AsyncIterator, Iterable
from itertools import batched
from typing import Final

from clawactors.fold import Folded, fold
from clawactors.tasks import TASK, Task
from clawactors.tasks.events import CODEC
from eventlog import EventLog, aggregate_pattern

__all__ = ["read_tasks"]

_TOGETHER: Final = 1000
"""Tasks that are read at once: a reading of many costs as much as one of a few."""


async def read_tasks(log: EventLog, ids: Iterable[str]) -> AsyncIterator[tuple[str, Folded[Task]]]:
    """Each of them once, in that order; one that is not there as it was before its first event.

    Raises: what the log raises.
    """
    for group in batched(dict.fromkeys(ids), _TOGETHER):
        known: dict[str, Folded[Task]] = dict.fromkeys(group, Folded(TASK.initial))
        async for records in log.read([aggregate_pattern("task", id) for id in group]):
            for record in records:
                id = record.subject.split(".", 3)[2]
                known[id] = fold(TASK, CODEC, known[id], record)
        for id, folded in known.items():
            yield id, folded
