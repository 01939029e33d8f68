"""Middleware that refuses a new task whose predecessors do not exist.

1. A predecessor that is being made here at this moment is waited for until it is checked, one that exists already until
   it is answered; if it is refused, so is what comes after it.
2. What comes after a task that could not be decided now is not decided either: its client asks again for both.
3. One that can't be seen is looked for on a state that holds all that was in the log.
4. A cycle within a batch is the client's to find; one that others close at that moment is found here or by placement.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Final

from clawactors.eventlog import EventLogError, Unavailable
from clawactors.kernel.errors import Refused
from clawactors.runtime.call import Answer, Call, Handler, Reply
from clawactors.runtime.control.folded import FoldedSnapshots
from clawactors.systems.tasks import commands as c

__all__ = ["PredecessorCheck"]

_UNDECIDED_MAX: Final = 10_000


class PredecessorCheck:
    """Wraps a handler: `Middleware`."""

    def __init__(self, snapshots: FoldedSnapshots) -> None:
        self._snapshots = snapshots
        self._making: dict[str, asyncio.Future[Exception | None] | None] = {}
        """Tasks that are being made; the future tells those who wait for one why nothing can come after it."""
        self._waits_for: dict[str, str] = {}
        self._undecided: OrderedDict[str, None] = OrderedDict()
        """Tasks that could lately not be made, for whose clients ask again."""

    def __call__(self, handler: Handler) -> Handler:
        """The handler that checks first."""

        async def handle(calls: Sequence[Call]) -> Sequence[Reply]:
            following = [call for call in calls if _follows(call)]
            if not following:
                return await self._make(handler, calls)
            for call in following:
                self._making.setdefault(call.id, asyncio.get_running_loop().create_future())
            made, *followed = await asyncio.gather(
                self._make(handler, [call for call in calls if not _follows(call)]),
                *(self._make_after(handler, call) for call in following),
            )
            replies, following_replies = iter(made), chain.from_iterable(followed)
            return [next(following_replies if _follows(call) else replies) for call in calls]

        return handle

    async def _make(self, handler: Handler, calls: Sequence[Call]) -> Sequence[Reply]:
        """What comes after one of these is appended after it, so it need not wait where the task is new."""
        made = [call.id if type(call.commands[0]) is c.Submit else "" for call in calls]
        for id in filter(None, made):
            self._making.setdefault(id, None)
        replies: Sequence[Reply] = ()
        try:
            replies = await handler(calls)
        finally:
            for id, reply in zip_longest(made, replies):
                if id:
                    self._end(id, reply)
        return replies

    async def _make_after(self, handler: Handler, call: Call) -> Sequence[Reply]:
        replies: Sequence[Reply] = ()
        try:
            await self._check(call.id, call.commands[0])
            making = self._making.get(call.id)
            if making is not None and not making.done() and not self._is_known(call.id):
                making.set_result(None)
            replies = await handler((call,))
        except (Refused, EventLogError) as error:
            replies = (error,)
        finally:
            self._end(call.id, replies[0] if replies else None)
        return replies

    def _end(self, id: str, reply: Reply | None) -> None:
        outcome: Exception | None = None
        if isinstance(reply, Refused):
            outcome = Refused(f"it comes after {id}, which is refused")
        elif not isinstance(reply, Answer):
            outcome = Unavailable(f"it comes after {id}, which is not decided yet")
        making = self._making.pop(id, None)
        if making is not None and not making.done():
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
            if each in self._making:
                if (outcome := await self._made(id, each)) is not None:
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

    async def _made(self, id: str, each: str) -> Exception | None:
        """Why nothing can come after `each`, None where something can.

        Raises: `Refused` where that waits for `id` itself.
        """
        making = self._making[each]
        if making is None:
            if not self._is_known(each):
                return None
            making = self._making[each] = asyncio.get_running_loop().create_future()
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
        """True if the task exists in the folded state."""
        snapshot, _ = self._snapshots.states.get("task", id, brief=True)
        return bool(snapshot.state.exists)

    def _is_there(self, id: str) -> bool:
        """Raises: `Refused` for one that was taken away."""
        snapshot, _ = self._snapshots.states.get("task", id, brief=True)
        if snapshot.state.exists and snapshot.state.life.status == "archived":
            raise Refused(f"it comes after {id}, which was deleted or archived")
        return snapshot.state.exists or bool(snapshot.frozen)


def _follows(call: Call) -> bool:
    """True for a new task that comes after others."""
    command = call.commands[0]
    return type(command) is c.Submit and bool(command.spec.after)
