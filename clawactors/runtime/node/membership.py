"""The node as a member of the cluster: joins, follows its own log, and applies what is recorded there.

When it learns that it was believed dead, it gives up everything it has, records that it is back, and takes new work.
"""

import asyncio
import contextlib
import logging
from functools import partial
from typing import Final

from clawactors.eventlog import EventLogError, Follower, Record, aggregate_pattern
from clawactors.kernel.errors import Refused
from clawactors.runtime.actor import Actor
from clawactors.runtime.context import ActorContext
from clawactors.runtime.node.background import Background
from clawactors.runtime.node.drain import Drain
from clawactors.runtime.node.slots import Slots
from clawactors.systems.nodes import Node
from clawactors.systems.nodes import commands as nc
from clawactors.systems.nodes import events as ne
from clawactors.systems.nodes.kind import NODES

__all__ = ["Membership"]

_RECORD_S: Final = 3.0

_log = logging.getLogger(__name__)


class Membership:
    """The membership of one incarnation; `stopping` is set once the node has to stop."""

    _follower: Follower

    def __init__(
        self,
        context: ActorContext,
        id: str,
        incarnation: str,
        slots: Slots,
        drain: Drain,
        background: Background,
        stopping: asyncio.Event,
    ) -> None:
        self._context, self._id, self._incarnation = context, id, incarnation
        self._slots, self._drain, self._background, self._stopping = slots, drain, background, stopping
        self._actor: Actor[nc.NodeCommand, Node, ne.NodeEvent] = Actor(context, NODES, id)
        self._applied = Node()
        self.is_superseded = False
        """True once another incarnation has taken its place."""

    async def open(self) -> None:
        """Nothing that is decided about the node is missed from now on. Raises: what the log raises."""
        self._follower = await self._context.log.follow([aggregate_pattern("node", self._id)])

    async def aclose(self) -> None:
        """Stops listening. Order: after `open`."""
        await self._follower.aclose()

    async def join(self, joined: ne.NodeJoined) -> None:
        """The join is in the log when it returns. Raises: `Refused` where such a node is alive; what the log raises."""
        await self._actor.handle(nc.JoinNode(joined))
        self._applied = self._actor.state

    async def serve(self) -> None:
        """Returns when another incarnation has taken its place."""
        async for batch in self._follower:
            for record in batch:
                await self._on_record(record)
            if self.is_superseded:
                return
            self._slots.fill()

    async def record(self, command: nc.NodeCommand) -> None:
        """Records what becomes of the node, unless the log does not answer soon."""
        with contextlib.suppress(Refused, EventLogError, TimeoutError):
            async with asyncio.timeout(_RECORD_S):
                await self._actor.handle(command)

    async def _on_record(self, record: Record) -> None:
        try:
            if not self._actor.observe(record):
                await self._background.retry(self._actor.catch_up)
        except Refused as refusal:
            if self._actor.frozen:
                _log.error("node %s: %s", self._id, refusal)  # else it concerns a command, and its caller gets it
        self._apply(self._actor.state)

    def _apply(self, node: Node) -> None:
        """Acts on what has changed since the last time; the node's own appends count as well as others'."""
        before, self._applied = self._applied, node
        if node is before:
            return
        if node.incarnation != self._incarnation:
            if before.incarnation == self._incarnation:
                self.is_superseded = True
                self._slots.take_queue()
                self._slots.stop_all("superseded")
            return
        slots, is_stopping = self._slots, self._stopping.is_set()
        slots.size = node.joined.slots
        if node.status == "offline":
            if before.status != "offline" and not node.left and not is_stopping:
                self._background.start(self._come_back())
        elif node.status == "draining":
            if slots.is_open:
                slots.is_open = False
                self._background.start(self._drain.return_queue())
        elif node.status == "online":
            slots.is_open = not is_stopping

    async def _come_back(self) -> None:
        """Gives up what it has by itself: the process that believed it dead may not be there to do it."""
        self._slots.stop_all("lost")
        self._background.start(self._drain.return_queue())
        with contextlib.suppress(Refused):
            await self._background.retry(partial(self._actor.handle, nc.ReturnNode(self._incarnation)))
