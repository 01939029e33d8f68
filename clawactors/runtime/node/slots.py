"""The slots of a node: what runs now, and what waits in order.

1. At most `size` tasks run at a time; the others keep their order. A parked run takes no slot; woken, it comes before
   what is new.
2. A woken run that has had no slot for 1 s runs as one more, one at a time: what it holds may be what all others wait
   for. One whose task is cancelled takes no slot: it cleans up.
3. Of tasks that have lost several nodes in a row, one runs at a time.
"""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Final

from msgspec.structs import replace

from clawactors.eventlog import PermissionDenied, Record
from clawactors.runtime.context import ActorContext
from clawactors.runtime.node.attempt.assigned import Assignment
from clawactors.runtime.node.attempt.attempt import Attempt
from clawactors.runtime.node.attempt.journal import interrupt, return_assignment
from clawactors.runtime.node.attempt.phase import StopReason
from clawactors.runtime.node.background import Background
from clawactors.runtime.node.parkedruns import ParkedRuns
from clawactors.systems.tasks import events as te

__all__ = ["SUSPECT", "Slots"]

SUSPECT: Final = 2
"""From this many nodes lost in a row, without a new step, a task runs alone among those like it."""

_LATE_S: Final = 1.0

_log = logging.getLogger(__name__)


class Slots:
    """Begins attempts as long as it is open and has room; `create` makes the attempt of an assignment."""

    def __init__(
        self,
        context: ActorContext,
        id: str,
        size: int,
        create: Callable[[Assignment], Attempt],
        background: Background,
    ) -> None:
        self._context, self._id, self._create, self._background = context, id, create, background
        self.size, self.is_open = size, True
        self.running: dict[str, Attempt] = {}
        self.queue: OrderedDict[str, Assignment] = OrderedDict()  # a dict is slow where the first is removed often
        self.parked = ParkedRuns()
        self._beyond: set[str] = set()
        self._cancelled: set[str] = set()
        self._extra = ""
        self._late: asyncio.TimerHandle | None = None
        self._parks, self._wakes = self._on_park, self._on_wake  # one of each for all attempts
        self._suspects: set[str] = set()
        self._is_filling = False
        self._idle = asyncio.Event()
        self._idle.set()

    def observe(self, id: str, record: Record) -> None:
        """Something was appended to that task: the attempt that runs finds out whether it is over."""
        if (attempt := self.find(id)) is not None:
            self._background.start(self._observe(attempt, record))

    async def _observe(self, attempt: Attempt, record: Record) -> None:
        await attempt.observe(record)
        if attempt.id in self.parked.woken and attempt.journal.state.life.cancel_requested:
            self._cancelled.add(attempt.id)
            self.fill()

    def wake(self, assignment: Assignment) -> bool:
        """Lets a parked run go on in its turn; False where there is no such run."""
        id = assignment.id
        attempt = self.find(id)
        if attempt is None:
            return False
        self.parked.woken[id] = assignment
        if attempt.journal.state.life.cancel_requested:
            self._cancelled.add(id)
        return True

    def _on_park(self, id: str) -> None:
        self._beyond.discard(id)
        if (attempt := self.running.pop(id, None)) is None:
            return
        if (oldest := self.parked.add(attempt)) is not None:
            oldest.stop("unpark")
        self._clear(id)

    def _on_wake(self, id: str) -> None:
        if (attempt := self.parked.get(id)) is None:
            return
        journal = attempt.journal
        event = te.Scheduled(
            node=attempt.fence.node,
            incarnation=attempt.fence.incarnation,
            attempt=journal.state.life.attempt,
            skill=attempt.assignment.event.skill,
            wakes=True,
        )
        if self.wake(Assignment(attempt.id, journal.version, event, attempt.context.time.now_ns())):
            self.fill()

    def doubt(self, id: str) -> None:
        """Something was appended to that task: where it waits, its log is read before it runs."""
        if (assignment := self.queue.get(id)) is not None:
            self.queue[id] = replace(assignment, unsure=True)

    def fill(self) -> None:
        """Begins what may run now."""
        if self._is_filling:  # an attempt that ended without waiting: its caller continues
            return
        self._is_filling = True
        try:
            self._begin_what_may_run()
        finally:
            self._is_filling = False

    @property
    def _has_room(self) -> bool:
        return len(self.running) - len(self._beyond) < self.size

    def _resume_what_was_woken(self) -> None:
        for id in list(self._cancelled):
            if (attempt := self._resumable(id)) is not None:
                self._beyond.add(id)
                self._resume(attempt)
        # Thousands may be woken: only as many are looked at as there is room for.
        room = self.size - len(self.running) + len(self._beyond)
        if room > 0:
            for attempt in list(islice(filter(None, map(self._resumable, self.parked.woken)), room)):
                self._resume(attempt)
        if self.parked.woken and not self._has_room and self._late is None:
            self._late = asyncio.get_running_loop().call_later(_LATE_S, self._run_extra)

    def _resumable(self, id: str) -> Attempt | None:
        """The run that was woken; None where it is about to park, or to end."""
        attempt = self.parked.get(id)
        return None if attempt is None or attempt.is_stopping else attempt

    def _run_extra(self) -> None:
        self._late = None
        if self._extra not in self.running:
            attempt = next(filter(None, map(self._resumable, self.parked.woken)), None)
            if attempt is not None:
                self._extra = attempt.id
                self._beyond.add(attempt.id)
                self._resume(attempt)
        self.fill()

    def _resume(self, attempt: Attempt) -> None:
        self._cancelled.discard(attempt.id)
        assignment = self.parked.woken.pop(attempt.id)
        self.parked.remove(attempt.id)
        self.running[attempt.id] = attempt
        self._background.start(attempt.resume(assignment))

    def _begin_what_may_run(self) -> None:
        if self.parked.woken:
            self._resume_what_was_woken()
        while self.queue and self._has_room and self.is_open:
            id = next((id for id, assignment in self.queue.items() if self._may_run(assignment)), None)
            if id is None:
                return
            assignment = self.queue.pop(id)
            attempt = self.running[id] = self._create(assignment)
            attempt.on_park, attempt.on_wake = self._parks, self._wakes
            if assignment.event.interruptions >= SUSPECT:
                self._suspects.add(id)
                attempt.on_cleared = partial(self._clear, id)
            self._idle.clear()
            self._background.start(self._run(attempt))

    def _may_run(self, assignment: Assignment) -> bool:
        if assignment.id in self.running or self.parked.get(assignment.id) is not None:
            return False
        return assignment.event.interruptions < SUSPECT or not self._suspects

    def _clear(self, id: str) -> None:
        self._suspects.discard(id)
        self.fill()

    async def _run(self, attempt: Attempt) -> None:
        try:
            await attempt.run()
        except PermissionDenied as error:
            self._background.deny(error)
        except Exception as error:
            _log.error("node %s: task %s: %s", self._id, attempt.id, error, exc_info=error)
            reason = f"node {self._id} could not record it: {error}"
            # It keeps its slot for as long as the log has it running.
            await self._background.retry(lambda: interrupt(self._context, attempt.id, attempt.fence, reason))
        finally:
            self._forget(attempt)

    def _forget(self, attempt: Attempt) -> None:
        attempt.on_park = attempt.on_wake = None
        self.running.pop(attempt.id, None)
        self.parked.remove(attempt.id)
        self._beyond.discard(attempt.id)
        self._cancelled.discard(attempt.id)
        if (woken := self.parked.woken.pop(attempt.id, None)) is not None:
            self.give_back(woken)  # it was woken while it unwound
        if not self.running and not len(self.parked):
            self._idle.set()
        self._clear(attempt.id)

    def give_back(self, assignment: Assignment) -> None:
        """Returns a wake of a run that is here no longer: the task is placed anew."""
        reason = f"node {self._id} keeps the run no longer"
        self._background.start(self._background.retry(lambda: return_assignment(self._context, assignment, reason)))

    def stop_all(self, reason: StopReason) -> None:
        """Tells all attempts to stop."""
        for attempt in self.all():
            attempt.stop(reason)

    def find(self, id: str) -> Attempt | None:
        """The attempt of that task that runs or is parked here."""
        return self.running.get(id) or self.parked.get(id)

    def all(self) -> list[Attempt]:
        """What runs, and what is parked."""
        return [*self.running.values(), *self.parked.all()]

    def unpark_all(self, reason: StopReason) -> None:
        """Unwinds the runs that are kept in memory."""
        for attempt in self.parked.all():
            attempt.stop(reason)

    def take_queue(self) -> list[Assignment]:
        """All that waits; nothing does afterwards."""
        queued, self.queue = list(self.queue.values()), OrderedDict()
        return queued

    async def is_idle_within(self, wait_s: float) -> bool:
        """True once nothing runs; False when that takes longer."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._idle.wait()
        return self._idle.is_set()
