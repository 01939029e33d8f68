"""The memory process as the home of memories, conversations and owners: it decides the commands to them.

1. Commands from clients are answered on `claw.do.<principal>.memory`, `.chat` and `.owner`, those of the cluster's own
   account on `claw.do.memory` …, by the memory process that holds the lease `memory-leader`.
2. Every append of this process to these kinds goes through one dispatcher. What the process decides itself needs no
   lease: ids follow from their sources, so two processes write the same, once.
3. States come from the rows and from what is not written yet; nothing is folded from its first record.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from clawactors.eventlog import Unavailable
from clawactors.eventlog.leases import Leases
from clawactors.eventlog.requests import Requests
from clawactors.kernel.kind import Home, Kind, Kinds
from clawactors.memory.process.following import Following
from clawactors.memory.process.store import MemoryStore
from clawactors.runtime.call import Call, Handler, Middleware, Reply
from clawactors.runtime.context import ActorContext
from clawactors.runtime.control.leadership import Leadership
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.endpoint import CommandEndpoint
from clawactors.runtime.snapshots import Known

__all__ = ["LEADER_KEY", "MemoryCommands", "StoreSnapshots"]

LEADER_KEY: Final = "memory-leader"
_PAUSE_S: Final = 0.05


class StoreSnapshots:
    """Implements `Snapshots` with the store of memories; `following` feeds it."""

    def __init__(self, store: MemoryStore, following: Following) -> None:
        self._store, self._following = store, following

    async def load(self, kind: Kind[Any, Any, Any], id: str, *, at_least: int = 0, brief: bool = False) -> Known:
        """See `Snapshots`."""
        if at_least < 0:
            await self._following.caught_up()
        else:
            await self._following.reached(at_least)
        return Known(*self._store.views.snapshots.get(kind.name, id, brief=brief))


def leading_for_clients(leads: Callable[[], bool]) -> Middleware:
    """Middleware that decides commands of clients, which have a deadline, only while this process leads."""

    def wrap(handler: Handler) -> Handler:
        async def handle(calls: Sequence[Call]) -> Sequence[Reply]:
            if leads():
                return await handler(calls)
            own = iter(await handler([call for call in calls if not call.deadline_ns]))
            return [
                Unavailable("this memory process does not lead") if call.deadline_ns else next(own) for call in calls
            ]

        return handle

    return wrap


class MemoryCommands:
    """The dispatcher of the process, and its endpoint for clients. `serve` runs until cancelled."""

    def __init__(
        self,
        context: ActorContext,
        kinds: Kinds,
        snapshots: StoreSnapshots,
        leases: Leases,
        requests: Requests,
        guard: Middleware,
    ) -> None:
        self._requests = requests
        self._changed = asyncio.Event()
        on_change = self._changed.set
        self.leadership = Leadership(leases, requests, context.clock, context.by, on_change, on_change, LEADER_KEY)
        middleware = (leading_for_clients(lambda: self.leadership.leading), guard)
        self.dispatcher = context.dispatcher = Dispatcher(context, snapshots, middleware)
        self._endpoint = CommandEndpoint(self.dispatcher, kinds.of(Home.MEMORY), own_account=True)

    async def serve(self) -> None:
        """Holds the lease when it can, and answers clients while it does."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.leadership.serve())
                group.create_task(self._answer_while_leading())
        finally:
            await self._endpoint.aclose()
            await self.dispatcher.aclose()

    async def _answer_while_leading(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._endpoint.aclose()
            if self.leadership.leading:
                try:
                    await self._endpoint.open(self._requests)
                except Unavailable:
                    self._changed.set()
                    await asyncio.sleep(_PAUSE_S)
