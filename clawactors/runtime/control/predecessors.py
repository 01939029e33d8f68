"""Middleware that refuses a new task whose predecessors do not exist.

1. A predecessor that is being made here at this moment is waited for until it is checked, one that exists already until
   it is answered; if it is refused, so is what comes after it.
2. What comes after a task that could not be decided now is not decided either: its client asks again for both.
3. One that can't be seen is looked for on a state that holds all that was in the log.
4. A cycle within a batch is the client's to find; one that others close at that moment is found here or by placement.
"""

import asyncio
from collections import OrderedDict
from typing import Final

from clawactors.eventlog import EventLogError, Unavailable
from clawactors.kernel.errors import Refused
from clawactors.runtime.call import Answer, Call, Handler
from clawactors.runtime.control.folded import FoldedSnapshots
from clawactors.systems.tasks import commands as c

__all__ = ["PredecessorCheck"]

_UNDECIDED_MAX: Final = 10_000


class PredecessorCheck:
    """Wraps a handler: `Middleware`."""

    def __init__(self, snapshots: FoldedSnapshots) -> None:
        self._snapshots = snapshots
        self._making: dict[str, asyncio.Future[Exception | None]] = {}
        self._waits_for: dict[str, str] = {}
        self._undecided: OrderedDict[str, None] = OrderedDict()
        """Tasks that could lately not be made, for whose clients ask again."""

    def __call__(self, handler: Handler) -> Handler:
        """The handler that checks first."""

        async def handle(call: Call) -> Answer:
            command = call.commands[0]
            if type(command) is not c.Submit:
                return await handler(call)
            making = self._making.setdefault(call.id, asyncio.get_running_loop().create_future())
            outcome: Exception | None = Unavailable(f"it comes after {call.id}, which is not decided yet")
            try:
                if command.spec.after:
                    await self._check(call.id, command)
                if not making.done() and not self._is_known(call.id):
                    making.set_result(None)  # what comes after it is appended after it, so it need not wait
                answer = await handler(call)
                outcome = None
                return answer
            except Refused:
                outcome = Refused(f"it comes after {call.id}, which is refused")
                raise
            finally:
                self._end(call.id, making, outcome)

        return handle

    def _end(self, id: str, making: asyncio.Future[Exception | None], outcome: Exception | None) -> None:
        if self._making.get(id) is making:
            del self._making[id]
        if not making.done():
            making.set_result(outcome)
        if not isinstance(outcome, EventLogError):
            self._undecided.pop(id, None)
            return
        self._undecided[id] = None
        if len(self._undecided) > _UNDECIDED_MAX:
            self._undecided.popitem(last=False)

    async def _check(self, id: str, command: c.Submit) -> None:
        """Raises: `Refused`, `Unavailable`."""
        if self._is_known(id):
            return  # a repeat: its predecessors were looked at when it was made
        unseen = []
        for each in command.spec.after:
            if each == id:
                raise Refused(f"it would wait for itself: {id} after {id}")
            if (making := self._making.get(each)) is not None:
                if (outcome := await self._made(id, each, making)) is not None:
                    raise type(outcome)(*outcome.args)
            elif not self._is_there(each):
                unseen.append(each)
        if unseen:
            await self._snapshots.fresh()
            for each in unseen:
                if self._is_there(each):
                    continue
                if each in self._undecided or each in self._making:
                    raise Unavailable(f"it comes after {each}, which is not decided yet")
                raise Refused(f"it comes after {each}, and there is no such task")

    async def _made(self, id: str, each: str, making: asyncio.Future[Exception | None]) -> Exception | None:
        """Why nothing can come after `each`, None where something can.

        Raises: `Refused` where that waits for `id` itself.
        """
        way = [id, each]
        while (next_one := self._waits_for.get(way[-1])) is not None:
            way.append(next_one)
            if next_one == id:
                raise Refused(f"it would wait for itself: {' after '.join(way)}")
        self._waits_for[id] = each
        try:
            return await asyncio.shield(making)
        finally:
            self._waits_for.pop(id, None)

    def _is_known(self, id: str) -> bool:
        """True where the task exists, as far as it was folded."""
        snapshot, _ = self._snapshots.states.get("task", id)
        return bool(snapshot.state.exists)

    def _is_there(self, id: str) -> bool:
        """Raises: `Refused` for one that was taken away."""
        snapshot, _ = self._snapshots.states.get("task", id)
        if snapshot.state.exists and snapshot.state.life.status == "archived":
            raise Refused(f"it comes after {id}, which was deleted or archived")
        return snapshot.state.exists or bool(snapshot.frozen)
