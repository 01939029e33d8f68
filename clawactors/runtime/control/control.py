"""The control process: folds the whole log once for placement and views, and carries out orders while it leads."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial

from msgspec.structs import replace

from clawactors.eventlog import Follower, TooLarge, Unavailable, WrongVersion, writer_of
from clawactors.eventlog.blobs import Blobs
from clawactors.eventlog.commands import Commands
from clawactors.eventlog.dead import DeadLetters
from clawactors.eventlog.decoding import Commit
from clawactors.eventlog.leases import Leases
from clawactors.eventlog.requests import Requests
from clawactors.eventlog.timers import Timers
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot
from clawactors.kernel.kind import Home, Kinds
from clawactors.runtime.call import Answer, Call
from clawactors.runtime.context import ActorContext
from clawactors.runtime.control.admission import admitting, leading
from clawactors.runtime.control.blobs import BlobEndpoint
from clawactors.runtime.control.commands import CommandConsumer
from clawactors.runtime.control.dead import DeadLetterWorker
from clawactors.runtime.control.ends import EndNotifier
from clawactors.runtime.control.folded import FoldedSnapshots
from clawactors.runtime.control.forks import ForkKeeper
from clawactors.runtime.control.leadership import Leadership
from clawactors.runtime.control.lookup import StateEndpoint
from clawactors.runtime.control.ports import Views
from clawactors.runtime.control.predecessors import PredecessorCheck
from clawactors.runtime.control.schedules import ScheduleKeeper
from clawactors.runtime.control.timers import TimerKeeper
from clawactors.runtime.control.watch import Watch
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.endpoint import CommandEndpoint
from clawactors.runtime.node.heartbeat import ALIVE
from clawactors.runtime.payloads import Payloads
from clawactors.systems.nodes import NODE
from clawactors.systems.nodes import commands as nc
from clawactors.systems.nodes.kind import NODES
from clawactors.systems.placement import SILENCE_S, Placement, PlannedCommand
from clawactors.systems.schedules import SCHEDULE
from clawactors.systems.schedules.roster import TIMER
from clawactors.systems.tasks import TASK, Task
from clawactors.systems.tasks import commands as tc
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.timers import KINDS
from clawactors.systems.timers import Agenda

__all__ = ["QUEUE", "Control"]

QUEUE = "control"
"""Of the processes that may answer a question, one gets it."""

_IDLE_S = 60.0
_TIME_S = 20.0
_UNAVAILABLE_PAUSE_S = 0.05

_log = logging.getLogger(__name__)


class Control:
    """`serve` runs until it is cancelled. `placement` and `watch` may be asked at any time."""

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
        kinds: Kinds,
        silence_s: float = SILENCE_S,
    ) -> None:
        self.context, self.views, self.requests = context, views, requests
        self.dead = DeadLetterWorker(dead, context.clock, lambda: self.leadership.leading)
        self.agenda = Agenda()
        self.placement = Placement(self.agenda, silence_s)
        self._wake = asyncio.Event()
        self.kinds = kinds
        self.snapshots = FoldedSnapshots(lambda: views.snapshots)
        self.leadership = Leadership(leases, context.clock, context.by, self._lead, self._stop_answering)
        middleware = (
            leading(lambda: self.leadership.leading),
            PredecessorCheck(self.snapshots),
            admitting(self.placement, context.time.now_ns),
        )
        self.dispatcher = context.dispatcher = Dispatcher(context, self.snapshots, middleware)
        self.ends = EndNotifier(requests, self.snapshots)
        self.placement.on_ended = self.ends.on_ended
        self.blobs = BlobEndpoint(blobs, context.clock.monotonic_s)
        self.lookup = StateEndpoint(self.snapshots, kinds.of(Home.CONTROL))
        self.endpoint = CommandEndpoint(self.dispatcher, kinds.of(Home.CONTROL), self.ends.awaits)
        self.watch = Watch(leases, requests, context.clock, self.placement.live_nodes, self._lose)
        self.schedules = ScheduleKeeper(self.dispatcher, self.agenda, self._wake.set)
        self.timers = TimerKeeper(
            timers,
            self.agenda,
            position=lambda: self._position,
            leads=lambda: self.leadership.leading,
            rang=self._ring,
        )
        self.commands = CommandConsumer(
            self.dispatcher, kinds, commands, Payloads(blobs), lambda: self.leadership.leading
        )
        self.forks = ForkKeeper(self.dispatcher, self._wake.set)
        self._planning: dict[str, Callable[[Commit], None]] = {
            TASK.kind: self._fold_task,
            NODE.kind: self._fold_node,
            SCHEDULE.kind: self._fold_schedule,
        }
        self._position = 0
        self._follower: Follower | None = None
        self._leads = 0
        self._check: asyncio.TimerHandle | None = None
        self._working: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Folds, leads when it may, watches."""
        await self._learn_time()
        snapshot = self.views.snapshot()
        self._position = snapshot.position
        self.placement.load(snapshot)
        self.schedules.roster.load(snapshot.schedules(), snapshot.frozen())
        self._find_out()
        patterns = [kind.pattern for kind in self.kinds.of(Home.CONTROL)]
        follower = self._follower = await self.context.log.follow(patterns, after=snapshot.position)
        self.snapshots.begin(follower, snapshot.position)
        await self.lookup.open(self.requests, QUEUE)
        deaf = await self.requests.subscribe(f"{ALIVE}.*", self._hear_alive)
        self.forgive()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._fold(follower))
                group.create_task(self._act())
                group.create_task(self.leadership.serve())
                group.create_task(self.watch.serve())
                group.create_task(self.dead.serve())
                group.create_task(self.timers.serve())
                group.create_task(self.commands.serve())
                group.create_task(self._keep_time())
        finally:
            deaf()
            if self._check is not None:
                self._check.cancel()
            for task in list(self._working):
                task.cancel()
            for each in (self.endpoint, self.forks, self.blobs, self.ends, self.lookup):
                await each.aclose()
            await follower.aclose()

    async def _keep_time(self) -> None:
        """Asks the log for its time now and then: records alone tell too little where few come."""
        while True:
            await asyncio.sleep(_TIME_S)
            with contextlib.suppress(Unavailable):
                await self._learn_time()

    async def _learn_time(self) -> None:
        self._hear_time((await self.context.log.head()).at_ns)

    def _hear_time(self, at_ns: int) -> None:
        self.context.time.observe(at_ns)
        self.timers.show(at_ns)

    def forgive(self) -> None:
        """Nobody is dead for what this process could not hear: it has just begun to listen, or does so again."""
        self.watch.forgive()
        self.placement.silence.listen(self.context.time.now_ns())

    def _hear_alive(self, subject: str, _: bytes) -> None:
        self.placement.silence.heard(subject.rpartition(".")[2], self.context.time.now_ns())

    async def _fold(self, follower: Follower) -> None:
        async for batch in follower:
            self.snapshots.taken = batch[-1].seq
            commits = [self.kinds.decoder.decode(record) for record in batch]
            for commit in commits:
                self._place(commit)
            # Before anything is ordered, for what is ordered is looked up there.
            loop = asyncio.get_running_loop()
            applied = asyncio.Task(self.views.apply(commits, follower.position), loop=loop, eager_start=True)
            self._position = batch[-1].seq
            self._find_out()
            self._hear_time(max(record.at_ns for record in batch))
            self._order()
            self.timers.wake()
            await applied
            self.snapshots.folded(follower.position)
        raise Unavailable("the log is followed no longer")  # placing on a fold that stands still would only do harm

    def _place(self, commit: Commit) -> None:
        """Tells those who plan with that kind; most kinds need no plans, they are decided and shown."""
        if (fold := self._planning.get(commit.kind)) is not None:
            fold(commit)

    def _fold_task(self, commit: Commit) -> None:
        record, placement = commit.record, self.placement
        if commit.fault == "malformed" or not placement.believes(commit.id, writer_of(record.subject)):
            placement.apply_nothing(commit.kind, commit.id, record.seq)
        elif commit.fault == "future":
            placement.freeze(commit.kind, commit.id)
            self.ends.on_frozen(commit.id, record.seq, commit.reason)
        elif not placement.apply_task(commit.id, record.seq, commit.events, record.at_ns, first=record.expected == 0):
            self._spawn(self._learn(commit.id))

    def _fold_node(self, commit: Commit) -> None:
        if commit.fault == "future":
            self.placement.freeze(commit.kind, commit.id)
        elif commit.fault != "malformed":
            self.placement.apply_node(commit.id, commit.record.seq, commit.events, commit.record.at_ns)

    def _fold_schedule(self, commit: Commit) -> None:
        if writer_of(commit.record.subject):
            return
        if commit.fault == "future":
            self.schedules.roster.freeze(commit.id)
        else:
            self.schedules.roster.apply(commit.id, commit.record.seq, commit.events, commit.record.at_ns)

    def _ring(self, kind: str, id: str) -> None:
        if kind in KINDS:
            self.placement.on_timer(id)
        elif kind == TIMER:
            self.schedules.roster.on_timer(id)
        self._wake.set()

    def _lead(self) -> None:
        """A former leader may have placed tasks that are not folded here yet: they count under the limits."""
        self.placement.limits.closed = True
        self._leads += 1
        self._spawn(self._retry(partial(self._open_limits, self._leads)))
        self.dead.lead()
        self._spawn(self._retry(self._start_answering))
        self._stir()

    async def _start_answering(self) -> None:
        """Commands are decided here from now on, ends are told from here."""
        for each in (self.endpoint, self.forks, self.blobs, self.ends):
            await each.aclose()
        for each in (self.ends, self.blobs, self.forks, self.endpoint):
            await each.open(self.requests)

    def _stop_answering(self) -> None:
        """Another process may lead: requests to this one would only lose time."""
        for each in (self.endpoint, self.forks, self.blobs, self.ends):
            self._spawn(each.aclose())

    async def _open_limits(self, lead: int) -> None:
        if self._follower is not None:
            await self._follower.caught_up()
        if lead == self._leads:
            self.placement.limits.closed = False
            self._stir()

    def _stir(self) -> None:
        """Something has changed: orders may follow, and timers."""
        self._wake.set()
        self.timers.wake()

    async def _learn(self, id: str) -> None:
        """Reads a task that had ended, and so was forgotten here, and now goes on."""
        while True:
            snapshot, _ = self.snapshots.states.get("task", id)
            if snapshot.frozen:
                return
            if self.placement.adopt(id, snapshot.version, snapshot.state):
                break
            await self.snapshots.fresh()
        self._find_out()  # it may wait for others again
        self._stir()

    def _find_out(self) -> None:
        if asked := self.placement.asks():
            self._spawn(self._retry(partial(self._read_ended, asked)))

    async def _read_ended(self, ids: Sequence[str]) -> None:
        """Reads how those ended that others wait for, and that are not open here."""
        await self.snapshots.fresh()
        for id in ids:
            known, _ = self.snapshots.states.get("task", id)
            status = known.state.life.status if known.state.exists and not known.frozen else None
            self.placement.note_status(id, known.version, status)
        self._stir()

    async def _retry(self, call: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                return await call()
            except Unavailable:
                await asyncio.sleep(_UNAVAILABLE_PAUSE_S)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.Task(work, loop=asyncio.get_running_loop(), eager_start=True)
        self._working.add(task)
        task.add_done_callback(self._worked)

    def _worked(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("control: %s", error, exc_info=error)

    async def _act(self) -> None:
        while True:
            self._order()
            await self._wake.wait()
            self._wake.clear()

    def _order(self) -> None:
        """Carries out what follows from the fold; it is asked again when time alone has an effect."""
        if self._check is not None:
            self._check.cancel()
            self._check = None
        if not self.leadership.leading:
            return
        self.schedules.fire()
        self.forks.finish(self.placement.forks)
        now_ns = self.context.time.now_ns()
        orders = list(self.placement.orders(now_ns))
        if orders:
            self._spawn(self._append(orders))
        check_ns = self.placement.next_check_ns()
        wait_s = _IDLE_S if check_ns is None else min(_IDLE_S, max(0.001, (check_ns - now_ns) / 1e9))
        self._check = asyncio.get_running_loop().call_later(wait_s, self._wake.set)

    async def _append(self, orders: Sequence[PlannedCommand]) -> None:
        calls = [
            Call(TASKS, order.id, (order.command,), known=Snapshot(self._whole(order), order.version), once=True)
            for order in orders
        ]
        outcomes = await self.dispatcher.send_many(calls)
        again: list[PlannedCommand] = []
        for order, outcome in zip(orders, outcomes, strict=True):
            match outcome:
                case Answer() | WrongVersion():
                    pass  # the follower brings what was stored, and with it what follows from it
                case TooLarge():
                    self._spawn(self._retry(partial(self._block, order, outcome)))
                case _:
                    if not isinstance(outcome, Refused):
                        again.append(order)
                    if not isinstance(outcome, Unavailable):
                        _log.error("placement: task %s: %s", order.id, outcome)
        if again:
            await asyncio.sleep(_UNAVAILABLE_PAUSE_S)
            for order in again:
                if self.placement.is_limited(order):  # its place is another's only once it is known not to be stored
                    self._spawn(self._retry(partial(self._withdraw, order)))
                else:
                    self.placement.withdraw(order)
        self._wake.set()

    def _whole(self, order: PlannedCommand) -> Task:
        """The task that the command is decided on, with its parameters where they go to a node."""
        task = order.task
        if not isinstance(order.command, tc.ScheduleTask):
            return task
        spec = self.snapshots.states.spec_of(order.id)
        return task if spec is None else replace(task, spec=spec)

    async def _withdraw(self, order: PlannedCommand) -> None:
        await self.snapshots.fresh()
        known, _ = self.snapshots.states.get("task", order.id)
        if known.version == order.version:
            self.placement.withdraw(order)
        self._wake.set()

    async def _block(self, order: PlannedCommand, error: TooLarge) -> None:
        """Puts the task before a person: what it needs to be given away fits no commit."""
        command = tc.Block(f"it can't be given to a node: {error}")
        known = Snapshot(order.task, order.version)
        with contextlib.suppress(Refused, WrongVersion):
            await self.dispatcher.send(Call(TASKS, order.id, (command,), known=known, once=True))

    async def _lose(self, id: str, incarnation: str, reason: str) -> None:
        with contextlib.suppress(Refused):
            await self.dispatcher.send(Call(NODES, id, (nc.LoseNode(incarnation, reason),)))
