"""What the log says of one task, as figures: pure folds over its commits, and the following of them."""

from collections import Counter
from collections.abc import AsyncGenerator, Sequence

import msgspec

from clawactors.eventlog import EventLog, aggregate_pattern
from clawactors.eventlog.decoding import Commit
from clawactors.kinds import DECODER
from clawactors.systems.tasks import TASK, Task
from clawactors.systems.tasks import events as e

__all__ = ["Recovery", "follow", "recovery", "task_of", "times_recorded"]


class Recovery(msgspec.Struct, frozen=True):
    """How a task went on after its node was killed. Times in ns since 1970, by the log."""

    from_node: str
    to_node: str
    attempt: int
    reason: str
    noticed_ns: int
    resumed_ns: int


async def follow(log: EventLog, id: str) -> AsyncGenerator[tuple[Commit, Task]]:
    """The commits of a task from its first one on, as they come, up to the one that ends it, and the task after each.

    Use it in `contextlib.aclosing`, so that it stops reading when you do.
    """
    task = TASK.initial
    follower = await log.follow([aggregate_pattern("task", id)], after=0)
    try:
        async for batch in follower:
            for commit in map(DECODER.decode, batch):
                task = _after(task, commit)
                yield commit, task
                if TASK.is_final(task):
                    return
    finally:
        await follower.aclose()


def task_of(commits: Sequence[Commit]) -> Task:
    """The task after these commits."""
    task = TASK.initial
    for commit in commits:
        task = _after(task, commit)
    return task


def _after(task: Task, commit: Commit) -> Task:
    for event in commit.events:
        task = TASK.evolve(task, event, commit.record.at_ns)
    return task


def times_recorded(commits: Sequence[Commit]) -> Counter[str]:
    """How often each step is on record as completed."""
    return Counter(event.step for commit in commits for event in commit.events if isinstance(event, e.StepCompleted))


def recovery(commits: Sequence[Commit], killed_at_ns: int) -> Recovery | None:
    """How the task went on after the kill; None where it did not, or was not touched by it."""
    before, after, lost = None, None, None
    for commit in commits:
        for event in commit.events:
            match event:
                case e.Scheduled() if lost is None:
                    before = event
                case e.Scheduled():
                    after = event
                case e.Interrupted() if lost is None and before is not None and commit.record.at_ns >= killed_at_ns:
                    lost = (commit.record.at_ns, event.reason)
                case e.Started() if before and after and lost:
                    at_ns = commit.record.at_ns
                    return Recovery(before.node, after.node, after.attempt, lost[1], lost[0], at_ns)
    return None
