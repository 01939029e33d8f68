"""How a node gives its work back: the queue at once, running tasks after a grace time."""

import asyncio
from functools import partial
from typing import Final

from clawactors.runtime.context import ActorContext
from clawactors.runtime.node.attempt.assigned import Assignment
from clawactors.runtime.node.attempt.journal import return_assignment
from clawactors.runtime.node.background import Background
from clawactors.runtime.node.slots import Slots

__all__ = ["Drain"]

_LAST_WORD_S: Final = 1.0


class Drain:
    """Gives back what this node will not run."""

    def __init__(self, context: ActorContext, id: str, slots: Slots, background: Background) -> None:
        self._context, self._slots, self._background = context, slots, background
        self._reason = f"node {id} gives back its queue"

    def return_soon(self, assignment: Assignment) -> None:
        """Gives it back in the background."""
        self._background.start(self._return(assignment))

    async def _return(self, assignment: Assignment) -> None:
        await self._background.retry(partial(return_assignment, self._context, assignment, self._reason))

    async def return_queue(self) -> None:
        """Returns when all that waits is given back; what is parked here unwinds."""
        self._slots.unpark_all("drain")
        await asyncio.gather(*map(self._return, self._slots.take_queue()))

    async def end_all(self, grace_s: float) -> None:
        """Gives back the queue; running tasks get the grace time to reach their next step, then they unwind."""
        slots = self._slots
        slots.stop_all("drain")
        returned = asyncio.ensure_future(self.return_queue())
        if not await slots.is_idle_within(grace_s):
            for attempt in slots.all():
                attempt.suspend_code()
            if not await slots.is_idle_within(_LAST_WORD_S):
                for attempt in slots.all():
                    attempt.leave_code()
                await slots.is_idle_within(_LAST_WORD_S)  # what can't even be recorded is recovered elsewhere
        await asyncio.wait((returned,), timeout=_LAST_WORD_S)
        returned.cancel()
