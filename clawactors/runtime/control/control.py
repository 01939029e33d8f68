"""The control process: folds the whole log once for placement and views, and carries out orders while it leads."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from clawactors.errors import Refused
from clawactors.kinds import DECODER
from clawactors.nodes import NODE
from clawactors.nodes import commands as nc
from clawactors.nodes import events as ne
from clawactors.placement import Order, Placement
from clawactors.runtime.actor import Actor, Desk
from clawactors.runtime.control.leadership import Leadership
from clawactors.runtime.control.ports import Views
from clawactors.runtime.control.watch import Watch
from clawactors.runtime.ports import Leases, Requests
from clawactors.tasks import TASK
from clawactors.tasks import events as te
from eventlog import Draft, Follower, Misconfigured, TooLarge, Unavailable, WrongVersion
from eventlog.decoding import Commit

__all__ = ["PATTERNS", "Control"]

PATTERNS = ("claw.task.>", "claw.node.>")

_IDLE_S = 60.0
_WITHDRAWN_PAUSE_S = 0.05

_log = logging.getLogger(__name__)


class Control:
    """`serve` runs until it is cancelled. `placement` and `watch` may be asked at any time."""

    def __init__(self, desk: Desk, leases: Leases, requests: Requests, views: Views) -> None:
        self.desk, self.views, self.requests = desk, views, requests
        self.placement = Placement()
        self._wake = asyncio.Event()
        self.leadership = Leadership(leases, desk.clock, desk.by, self._wake.set)
        self.watch = Watch(leases, requests, desk.clock, self.placement.live_nodes, self._lose)
        self._appending: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Folds, leads when it may, watches."""
        snapshot = self.views.snapshot()
        self.placement.load(snapshot)
        follower = await self.desk.log.follow(PATTERNS, after=snapshot.position)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._fold(follower))
                group.create_task(self._act())
                group.create_task(self.leadership.serve())
                group.create_task(self.watch.serve())
        finally:
            await follower.aclose()

    async def _fold(self, follower: Follower) -> None:
        async for batch in follower:
            commits = [DECODER.decode(record) for record in batch]
            for commit in commits:
                self._place(commit)
            self._wake.set()
            await self.views.apply(commits)

    def _place(self, commit: Commit) -> None:
        record, placement = commit.record, self.placement
        if commit.fault == "malformed":
            placement.apply_nothing(commit.kind, commit.id, record.seq)
        elif commit.fault == "future":
            placement.freeze(commit.kind, commit.id)
        elif commit.kind == "task":
            placement.apply_task(commit.id, record.seq, commit.events, record.at_ns)
        elif commit.kind == "node":
            placement.apply_node(commit.id, record.seq, commit.events, record.at_ns)

    async def _act(self) -> None:
        while True:
            self._wake.clear()
            wait_s = _IDLE_S
            if self.leadership.leading:
                now_ns = self.desk.clock.now_ns()
                orders = list(self.placement.orders(now_ns))
                if orders:
                    self._carry_out(orders)
                due_ns = self.placement.next_due_ns()
                if due_ns is not None:
                    wait_s = min(wait_s, max(0.001, (due_ns - now_ns) / 1e9))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()

    def _carry_out(self, orders: Sequence[Order]) -> None:
        for order in orders:
            task = asyncio.ensure_future(self._append(order))
            self._appending.add(task)
            task.add_done_callback(self._appending.discard)

    async def _append(self, order: Order) -> None:
        try:
            events = TASK.decide(order.command, order.task)
            draft = Draft(
                kind="task",
                id=order.id,
                body=te.CODEC.encode(events),
                commit=self.desk.names.commit(),
                to=order.to,
                by=self.desk.by,
            )
            if events:
                await self.desk.log.append(draft, order.version)
        except WrongVersion:
            self.placement.withdraw(order)  # the follower brings what came in between, and with it a new order
        except (Refused, Misconfigured, TooLarge) as error:
            self.placement.withdraw(order)
            _log.error("placement: task %s: %s", order.id, error)
        except Unavailable:
            await asyncio.sleep(_WITHDRAWN_PAUSE_S)
            self.placement.withdraw(order)
            self._wake.set()

    async def _lose(self, id: str, incarnation: str, reason: str) -> None:
        if not self.leadership.leading:
            return
        actor = Actor(self.desk, NODE, ne.CODEC, id)
        await actor.catch_up()
        with contextlib.suppress(Refused):
            await actor.handle(nc.Lose(incarnation, reason))
