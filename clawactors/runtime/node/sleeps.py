"""The durable sleeps of a task's code, named by their branch and their number in it."""

import asyncio
from typing import TYPE_CHECKING

from clawactors.runtime.node.codetasks import outside_run
from clawactors.runtime.node.sleep import IN_PLACE_S, SLEEP, seconds_of, until_of, written
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.events import DurableWait

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["TaskSleeps"]


class TaskSleeps:
    """The sleeps of one attempt. The n-th of a branch ends at its recorded time, on every resume the same."""

    def __init__(self, attempt: "Attempt") -> None:
        self._attempt = attempt
        self._numbers: dict[str, int] = {}

    @outside_run
    async def sleep(self, duration: object) -> None:
        """See `TaskContext.sleep`."""
        attempt = self._attempt
        await attempt.parking.at_work("task.sleep")
        attempt.check()
        seconds, now_ns = seconds_of(duration), attempt.context.time.now_ns()
        path = attempt.tasks.current().path
        number = self._numbers[path] = self._numbers.get(path, 0) + 1
        name = f"{SLEEP}{path}/{number}" if path else f"{SLEEP}{number}"
        attempt.journal.used.add(name)
        entry = attempt.journal.entries.last(name)
        if entry is not None:
            until_ns = until_of(entry.result)
        elif seconds < IN_PLACE_S:
            await asyncio.sleep(seconds)
            return
        else:
            record = written(now_ns + int(seconds * 1e9))
            until_ns = until_of(record)
            attempt.note(c.CompleteStep(attempt.fence, name, record, 0.0, attempt.values.progress))
        if until_ns > now_ns:
            await attempt.waits.until(DurableWait("timer", until_ns))
