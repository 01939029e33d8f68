"""Middleware that refuses a new task whose predecessors do not exist.

1. A predecessor that is being made here at this moment is waited for until it is checked, one that exists already until
   it is answered; if it is refused, so is what comes after it.
2. One that can't be seen is looked for on a state that holds all that was in the log.
3. Two that are being made and wait for each other are refused. A cycle within a batch is the client's to find; one
   with tasks that two leaders make at the same moment is found by placement.
"""

import asyncio

from clawactors.kernel.errors import Refused
from clawactors.runtime.call import Answer, Call, Handler
from clawactors.runtime.control.folded import FoldedSnapshots
from clawactors.systems.tasks import commands as c

__all__ = ["PredecessorCheck"]


class PredecessorCheck:
    """Wraps a handler: `Middleware`."""

    def __init__(self, snapshots: FoldedSnapshots) -> None:
        self._snapshots = snapshots
        self._making: dict[str, asyncio.Future[str]] = {}
        self._waits_for: dict[str, str] = {}

    def __call__(self, handler: Handler) -> Handler:
        """The handler that checks first."""

        async def handle(call: Call) -> Answer:
            command = call.commands[0]
            if type(command) is not c.Submit:
                return await handler(call)
            made = self._making.setdefault(call.id, asyncio.get_running_loop().create_future())
            refusal = f"it comes after {call.id}, which is refused"
            try:
                if command.spec.after:
                    await self._check(call.id, command)
                if not made.done() and not self._is_known(call.id):
                    made.set_result("")  # what comes after it is appended after it, so it need not wait
                answer = await handler(call)
                refusal = ""
                return answer
            finally:
                if self._making.get(call.id) is made:
                    del self._making[call.id]
                if not made.done():
                    made.set_result(refusal)

        return handle

    async def _check(self, id: str, command: c.Submit) -> None:
        """Raises: `Refused`, `Unavailable`."""
        if self._is_known(id):
            return  # a repeat: its predecessors were looked at when it was made
        unseen = []
        for each in command.spec.after:
            if each == id:
                raise Refused(f"it would wait for itself: {id} after {id}")
            if (making := self._making.get(each)) is not None:
                if reason := await self._made(id, each, making):
                    raise Refused(reason)
            elif not self._is_there(each):
                unseen.append(each)
        if unseen:
            await self._snapshots.fresh()
            for each in unseen:
                if not self._is_there(each):
                    raise Refused(f"it comes after {each}, and there is no such task")

    async def _made(self, id: str, each: str, making: asyncio.Future[str]) -> str:
        """Why `each` was not made, "" where it was. Raises: `Refused` where that waits for `id` itself."""
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
