"""What a lost node left behind of a task: what `recover` of its skill is asked about, once a loss.

1. Only a loss that may have come while the code ran counts; a node that hands its tasks back has lost nothing.
2. The mark that `recover` has returned is a journal entry of the attempt that asked it. A later loss is a new one.
"""

from datetime import UTC, datetime

import msgspec

from clawactors.systems.tasks.journal import RECOVERY, Entry
from clawactors.systems.tasks.task import Task

__all__ = ["LostStep", "LostWork", "lost_work"]


class LostStep(msgspec.Struct, frozen=True):
    """A step that had begun and is not on record as done: what it does may have happened, or not."""

    name: str
    attempt: int
    started_at: datetime


class LostWork(msgspec.Struct, frozen=True):
    """The `attempt` that was lost with its node, and the `steps` that were in progress; `number` counts recoveries."""

    attempt: int
    steps: tuple[LostStep, ...] = ()
    number: int = 1


def _ran_s(entry: Entry) -> float:
    return min(max(entry.took_s, 0.0), entry.at_ns / 1e9)


def lost_work(task: Task) -> LostWork | None:
    """What there is to recover before the code goes on; None where nothing was lost since the last recovery."""
    lost, journal = task.life.lost, task.journal
    marks = [entry for entry in journal if entry.name.startswith(RECOVERY) and "/" not in entry.name]
    if not lost or (marks and marks[-1].attempt > lost):
        return None
    steps = (
        LostStep(each.name, each.attempt, datetime.fromtimestamp(each.at_ns / 1e9 - _ran_s(each), UTC))
        for each in journal.steps()
        if each.status == "running"
    )
    return LostWork(lost, tuple(steps), len(marks) + 1)
