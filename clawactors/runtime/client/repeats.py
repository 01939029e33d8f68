"""Whether a task that is wished for was made before by the very same wish: told by the record that made it."""

from collections.abc import Sequence

from clawactors.eventlog import EventLog, Record, subject_of
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot, fold
from clawactors.systems.tasks import TASK
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.kind import TASKS

__all__ = ["firsts_of", "is_repeat"]


async def firsts_of(log: EventLog, ids: Sequence[str]) -> dict[str, Record | None]:
    """The records that made these tasks, as far as they are to be seen."""
    return dict(zip(ids, await log.firsts([subject_of("task", id) for id in ids]), strict=True))


def is_repeat(first: Record | None, wish: c.Submit) -> bool:
    """True where the task was made by the very same wish, whatever has become of it since."""
    if first is None or first.expected != 0:
        return False
    known = fold(TASKS, Snapshot(TASK.initial), first)
    try:
        return known.state.exists and not TASK.decide(wish, known.state)
    except Refused:
        return False
