"""What the log must show of limits: never more tasks of a skill under way at once than it says."""

from clawactors.eventlog import EventLog
from clawactors.kinds import DECODER
from clawactors.systems.tasks import TASK, Task

__all__ = ["most_at_once"]


async def most_at_once(log: EventLog, skill: str) -> int:
    """How many tasks of that skill were a node's at one moment, at most."""
    tasks: dict[str, Task] = {}
    under_way: set[str] = set()
    most = 0
    async for batch in log.read(["claw.task.>"]):
        for record in batch:
            commit = DECODER.decode(record)
            task = tasks.get(commit.id, Task())
            for event in commit.events:
                task = TASK.evolve(task, event, record.at_ns)
            tasks[commit.id] = task
            if task.spec is not None and task.spec.skill == skill and task.life.status in ("scheduled", "running"):
                under_way.add(commit.id)
            else:
                under_way.discard(commit.id)
            most = max(most, len(under_way))
    return most
