"""The control process: folds the whole log once for placement and views, and carries out orders while it leads."""

import asyncio
import contextlib
from functools import partial

from clawactors.eventlog import Follower, Unavailable
from clawactors.eventlog.blobs import Blobs
from clawactors.eventlog.commands import Commands
from clawactors.eventlog.dead import DeadLetters
from clawactors.eventlog.leases import Leases
from clawactors.eventlog.outputs import Outputs
from clawactors.eventlog.requests import Requests
from clawactors.eventlog.sealing import Sealer
from clawactors.eventlog.timers import Timers
from clawactors.kernel.errors import Refused
from clawactors.kernel.kind import Home, Kinds
from clawactors.runtime.call import Call
from clawactors.runtime.context import ActorContext
from clawactors.runtime.control.admission import admitting, leading
from clawactors.runtime.control.asks import AskEndpoint
from clawactors.runtime.control.background import ControlBackground
from clawactors.runtime.control.blobs import BlobEndpoint
from clawactors.runtime.control.children import ChildKeeper
from clawactors.runtime.control.commands import CommandConsumer
from clawactors.runtime.control.dead import DeadLetterWorker
from clawactors.runtime.control.ends import EndNotifier
from clawactors.runtime.control.erasing import Eraser
from clawactors.runtime.control.folded import FoldedSnapshots
from clawactors.runtime.control.forks import ForkKeeper
from clawactors.runtime.control.leadership import LeaderEndpoints, Leadership
from clawactors.runtime.control.leftovers import Leftovers
from clawactors.runtime.control.lookup import StateEndpoint
from clawactors.runtime.control.losses import Losses
from clawactors.runtime.control.members import MemberCommits
from clawactors.runtime.control.outputs import EventsEndpoint, OutputEndpoint
from clawactors.runtime.control.ownerkeys import KeyEndpoint
from clawactors.runtime.control.planned import PlannedCommandWriter
from clawactors.runtime.control.plans import Plans
from clawactors.runtime.control.ports import Views
from clawactors.runtime.control.predecessors import PredecessorCheck
from clawactors.runtime.control.records import RecordsEndpoint
from clawactors.runtime.control.reported import ProgressReports
from clawactors.runtime.control.schedules import ScheduleKeeper
from clawactors.runtime.control.settings import ControlSettings
from clawactors.runtime.control.timekeeper import LogTimeKeeper
from clawactors.runtime.control.timers import TimerKeeper
from clawactors.runtime.control.triggers import NotifyTestEndpoint, TriggerKeeper
from clawactors.runtime.control.underway import under_way
from clawactors.runtime.control.watch import Watch
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.endpoint import CommandEndpoint
from clawactors.runtime.node.heartbeat import ALIVE
from clawactors.runtime.payloads import Payloads
from clawactors.runtime.settings import Layer
from clawactors.systems.nodes import commands as nc
from clawactors.systems.nodes.kind import NODES
from clawactors.systems.placement import ClusterState, Placement
from clawactors.systems.schedules.roster import TIMER
from clawactors.systems.tasks.timers import KINDS
from clawactors.systems.timers import Agenda

__all__ = ["QUEUE", "Control"]

QUEUE, _IDLE_S = "control", 60.0
"""Of the processes that may answer a question, one gets it."""


class Control:
    """`serve` runs until it is cancelled. `state`, `placement` and `watch` may be asked at any time."""

    def __init__(
        self,
        context: ActorContext,
        leases: Leases,
        requests: Requests,
        views: Views,
        dead: DeadLetters,
        timers: Timers,
        commands: Commands,
        blobs: Blobs,
        outputs: Outputs,
        kinds: Kinds,
        sealer: Sealer,
        layers: tuple[Layer, ...] = (),
    ) -> None:
        self.context, self.views, self.requests, self.kinds = context, views, requests, kinds
        self.dead = DeadLetterWorker(dead, context.clock, self._is_leading)
        self.agenda, self._wake = Agenda(), asyncio.Event()
        self.state = ClusterState(self.agenda)
        self.placement = Placement(self.state)
        self.snapshots = FoldedSnapshots(lambda: views.snapshots)
        self.leadership = Leadership(leases, requests, context.clock, context.by, self._lead, self._stop_answering)
        admit, self.losses = admitting(self.placement, context.time.now_ns), Losses(context.log, self.snapshots)
        members = MemberCommits(context, self.snapshots)
        middleware = leading(self.leadership), members, self.losses, PredecessorCheck(self.snapshots), admit
        self.dispatcher = context.dispatcher = Dispatcher(context, self.snapshots, middleware)
        self.ends = EndNotifier(requests, self.snapshots, self.state.tasks.is_open)
        self.state.tasks.on_ended, self.state.tasks.on_blocked = self.ends.on_ended, self.ends.on_blocked
        self.blobs = BlobEndpoint(blobs, clock_s := context.clock.monotonic_s)
        self.outputs, events = OutputEndpoint(outputs, clock_s), EventsEndpoint(context.log, kinds, clock_s)
        self.settings = ControlSettings(context, self.state, self._wake.set, layers)
        self.records = RecordsEndpoint(context.log, context.time, leases, blobs, kinds)
        states, asks = StateEndpoint(self.snapshots, kinds, Home.CONTROL), AskEndpoint(self.snapshots, requests)
        self._answers = states, self.records, asks, KeyEndpoint(sealer), self.settings
        self.endpoint = CommandEndpoint(self.dispatcher, kinds.of(Home.CONTROL), self.ends.awaits)
        self.watch = Watch(leases, requests, context.clock, self.state.nodes.live, self._lose)
        self.schedules = ScheduleKeeper(self.dispatcher, self.agenda, self._wake.set)
        self.triggers = TriggerKeeper(self.dispatcher, requests, kinds, self._wake.set)
        self.timers = TimerKeeper(
            timers, self.agenda, context.time, position=lambda: self._position, leads=self._is_leading, rang=self._ring
        )
        self._time, self.progress = LogTimeKeeper(context, requests, self.timers), ProgressReports()
        self.commands = CommandConsumer(self.dispatcher, kinds, commands, Payloads(blobs), self._is_leading)
        self.forks = ForkKeeper(self.dispatcher, self._wake.set)
        self._background = background = ControlBackground()
        rosters = self.schedules.roster, self.triggers.roster
        left = Leftovers(context.log, kinds, blobs, outputs), partial(under_way, self.state.tasks, *rosters)
        self.eraser = Eraser(self.dispatcher, sealer, views, *left, background, self.snapshots.fresh)
        self.eraser.on_erased = (self.blobs.forget, self.ends.forget_results)
        by_leader = self.ends, self.blobs, self.outputs, events, self.forks, self.endpoint, self.eraser
        self._answering = LeaderEndpoints(requests, NotifyTestEndpoint(self.triggers), *by_leader)
        kept = self.state.tasks.families, self.snapshots, views, background, self._is_leading
        self._children = ChildKeeper(self.dispatcher, *kept)
        self._writer = PlannedCommandWriter(self.dispatcher, self.placement, self.snapshots, background, self._wake.set)
        self._plans = Plans(self.state, *rosters, self.ends, self.eraser, self.snapshots, background, self._changed)
        self._position = self._leads = 0
        self._follower: Follower | None = None
        self._check: asyncio.TimerHandle | None = None

    async def serve(self) -> None:
        """Folds, leads when it may, watches."""
        await self._time.begin()
        snapshot = self.views.snapshot()
        self._position = snapshot.position
        self._plans.load(snapshot)
        patterns = [kind.pattern for kind in self.kinds.of(Home.CONTROL)]
        follower = self._follower = await self.context.log.follow(patterns, after=snapshot.position)
        self.snapshots.begin(follower, snapshot.position)
        for each in self._answers:
            await each.open(self.requests, QUEUE)
        deaf = await self.requests.subscribe(f"{ALIVE}.*.*", self._hear_alive)
        self.forgive()
        try:
            async with asyncio.TaskGroup() as group:
                parts = self.leadership, self.watch, self.dead, self.timers, self.commands, self._time, self.settings
                for work in (self._fold(follower), self._act(), *(part.serve() for part in parts)):
                    group.create_task(work)
        finally:
            deaf()
            if self._check is not None:
                self._check.cancel()
            self.triggers.stop()
            self._background.cancel()
            for endpoint in (self._answering, *self._answers):
                await endpoint.aclose()
            await follower.aclose()

    def _is_leading(self) -> bool:
        return self.leadership.leading

    def forgive(self) -> None:
        """Nobody is dead for what this process could not hear: it has just begun to listen, or does so again."""
        self.watch.forgive()
        self.state.listen(self.context.time.now_ns())

    def _hear_alive(self, subject: str, body: bytes) -> None:
        node, id = subject.split(".")[-2:]
        self.progress.take(id, node, body)
        self.state.silence.heard(id, node, self.context.time.now_ns())

    async def _fold(self, follower: Follower) -> None:
        async for batch in follower:
            self.snapshots.taken = batch[-1].seq
            commits = [self.kinds.decoder.decode(record) for record in batch]
            self.state.silence.behind_ns = self.context.time.now_ns() - batch[-1].at_ns
            self._plans.apply(commits)
            # Before anything is ordered, for what is ordered is looked up there.
            loop = asyncio.get_running_loop()
            applied = asyncio.Task(self.views.apply(commits, follower.position), loop=loop, eager_start=True)
            self._position = batch[-1].seq
            self._plans.load_statuses()
            self.timers.tick()
            self._plan()
            await applied
            self.eraser.renew()
            self.snapshots.folded(follower.position)
        raise Unavailable("the log is followed no longer")  # placing on a fold that stands still would only do harm

    def _ring(self, kind: str, id: str) -> None:
        if kind in KINDS:
            self.state.on_timer(id)
        elif kind == TIMER:
            self.schedules.roster.on_timer(id)
        self._wake.set()

    def _lead(self) -> None:
        """A former leader may have placed tasks that are not folded here yet: they count under the limits."""
        self.state.tasks.limits.closed = True
        self._leads += 1
        self._background.insist(partial(self._open_limits, self._leads))
        self.dead.lead()
        self._background.insist(self._answering.open)
        self._changed()

    def _stop_answering(self) -> None:
        """Another process may lead: requests to this one would only lose time."""
        self.triggers.stop()
        self._background.start(self._answering.aclose())

    async def _open_limits(self, lead: int) -> None:
        if self._follower is not None:
            await self._follower.caught_up()
        if lead == self._leads:
            self.state.tasks.limits.closed = False
            self._changed()

    def _changed(self) -> None:
        """Something has changed: commands may follow, and timers."""
        self._wake.set()
        self.timers.wake()

    async def _act(self) -> None:
        while True:
            self._plan()
            await self._wake.wait()
            self._wake.clear()

    def _plan(self) -> None:
        """Carries out what follows from the fold; it is asked again when time alone has an effect."""
        if self._check is not None:
            self._check.cancel()
            self._check = None
        if not self.leadership.leading:
            return
        self.schedules.fire()
        self.triggers.act()
        self.forks.finish(self.state.tasks.forks)
        self._children.act()
        now_ns = self.context.time.now_ns()
        if planned := list(self.placement.orders(now_ns)):
            self._background.start(self._writer.write(planned))
        check_ns = self.state.silence.next_check_ns()
        wait_s = _IDLE_S if check_ns is None else min(_IDLE_S, max(0.001, (check_ns - now_ns) / 1e9))
        self._check = asyncio.get_running_loop().call_later(wait_s, self._wake.set)

    async def _lose(self, id: str, incarnation: str, reason: str) -> None:
        with contextlib.suppress(Refused):
            await self.dispatcher.send(Call(NODES, id, (nc.LoseNode(incarnation, reason),)))
