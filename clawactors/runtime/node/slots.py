"""The slots of a node: what runs now, and what waits in order.

1. At most `size` tasks run at a time; the others keep their order.
2. Of tasks that have lost several nodes in a row, one runs at a time.
"""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec.structs import replace

from clawactors.eventlog import PermissionDenied, Record
from clawactors.runtime.context import ActorContext
from clawactors.runtime.node.attempt import Assignment, Attempt, StopReason
from clawactors.runtime.node.attempt.journal import interrupt
from clawactors.runtime.node.background import Background

__all__ = ["SUSPECT", "Slots"]

SUSPECT: Final = 2
"""From this many nodes lost in a row, without a new step, a task runs alone among those like it."""

_log = logging.getLogger(__name__)


class Slots:
    """Begins attempts as long as it is open and has room; `create` makes the attempt of an assignment."""

    def __init__(
        self, context: ActorContext, id: str, size: int, create: Callable[[Assignment], Attempt], background: Background
    ) -> None:
        self._context, self._id, self._create, self._background = context, id, create, background
        self.size, self.is_open = size, True
        self.running: dict[str, Attempt] = {}
        self.queue: OrderedDict[str, Assignment] = OrderedDict()  # a dict is slow where the first is removed often
        self._suspects: set[str] = set()
        self._is_filling = False
        self._idle = asyncio.Event()
        self._idle.set()

    def observe(self, id: str, record: Record) -> None:
        """Something was appended to that task: the attempt that runs finds out whether it is over."""
        if (attempt := self.running.get(id)) is not None:
            self._background.start(attempt.observe(record))

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

    def _begin_what_may_run(self) -> None:
        while self.queue and len(self.running) < self.size and self.is_open:
            id = next((id for id, assignment in self.queue.items() if self._may_run(assignment)), None)
            if id is None:
                return
            assignment = self.queue.pop(id)
            attempt = self.running[id] = self._create(assignment)
            if assignment.event.interruptions >= SUSPECT:
                self._suspects.add(id)
                attempt.on_cleared = partial(self._clear, id)
            self._idle.clear()
            self._background.start(self._run(attempt))

    def _may_run(self, assignment: Assignment) -> bool:
        if assignment.id in self.running:
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
            await self._background.retry(lambda: interrupt(self._context, attempt.assignment, reason))
        finally:
            del self.running[attempt.id]
            if not self.running:
                self._idle.set()
            self._clear(attempt.id)

    def stop_all(self, reason: StopReason) -> None:
        """Tells all attempts to stop."""
        for attempt in list(self.running.values()):
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
