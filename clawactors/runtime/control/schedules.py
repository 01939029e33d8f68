"""Makes the tasks of the schedules that are due.

1. The task first, then the record that its time is over: a crash in between makes the same task again, by its id.
2. The record is guarded by the version, so a time fires once, whichever process fires it.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from clawactors.eventlog import EventLogError
from clawactors.kernel.errors import Refused
from clawactors.runtime.call import Call
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.seldom import SeldomLogger
from clawactors.systems.schedules import SCHEDULE, task_id
from clawactors.systems.schedules import commands as c
from clawactors.systems.schedules import events as e
from clawactors.systems.schedules.kind import SCHEDULES
from clawactors.systems.schedules.roster import ScheduleRoster
from clawactors.systems.tasks import commands as tc
from clawactors.systems.tasks import events as te
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.timers import Agenda

__all__ = ["ScheduleKeeper"]

_AGAIN_S: Final = 0.2

_log = logging.getLogger(__name__)
_seldom = SeldomLogger(_log)


class ScheduleKeeper:
    """Call `fire` when something may be due and this process leads; `done` is called after each."""

    def __init__(self, dispatcher: Dispatcher, agenda: Agenda, done: Callable[[], None]) -> None:
        self._dispatcher, self.roster, self._done = dispatcher, ScheduleRoster(agenda), done
        self._firing: dict[str, asyncio.Task[None]] = {}

    def fire(self) -> None:
        """Begins with all that is due and not begun with."""
        for name in self.roster.due:
            if name not in self._firing:
                self._firing[name] = asyncio.create_task(self._fire(name))

    async def _fire(self, name: str) -> None:
        try:
            await self._make(name)
        except Refused as refusal:
            _log.info("schedule %s: %s", name, refusal)
        except EventLogError as error:
            _seldom.warning("schedule %s has to wait: %s", name, error)
            await asyncio.sleep(_AGAIN_S)
        finally:
            del self._firing[name]
            self._done()

    async def _make(self, name: str) -> None:
        known = self.roster.known(name)
        due_ns, plan = known.state.due_ns, known.state.plan
        if due_ns is None or plan is None:
            return
        command = c.FireSchedule(due_ns, self._dispatcher.context.time.now_ns())
        for event in SCHEDULE.decide(command, known.state):
            if isinstance(event, e.ScheduleFired):
                await asyncio.gather(*(self._submit(task_id(name, at_ns), plan.task) for at_ns in event.times))
        fired = await self._dispatcher.send(Call(SCHEDULES, name, (command,), known=known))
        # What was written comes back by the log, as everything does; until then it is not due again.
        self.roster.take(name, fired.version, fired.state)

    async def _submit(self, id: str, spec: te.Spec) -> None:
        try:
            await self._dispatcher.send(Call(TASKS, id, (tc.Submit(spec),)))
        except Refused as refusal:
            _log.error("the task %s of a schedule can't be made: %s", id, refusal)
