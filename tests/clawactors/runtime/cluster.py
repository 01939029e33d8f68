"""A whole cluster in one event loop: processes that can be killed, a log that can fail, a clock that is set by hand."""

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, Self

from clawactors.eventlog import (
    Draft,
    EventLogError,
    Follower,
    Head,
    InProcessLog,
    NoResponders,
    Unavailable,
    aggregate_pattern,
)
from clawactors.eventlog.blobs import InProcessBlobs
from clawactors.eventlog.commands import InProcessCommands
from clawactors.eventlog.dead import InProcessDeadLetters
from clawactors.eventlog.decoding import Commit
from clawactors.eventlog.leases import InProcessLeases, Lease, Leases
from clawactors.eventlog.outputs import InProcessOutputs, Outputs
from clawactors.eventlog.record import Record
from clawactors.eventlog.requests import InProcessRequests, Requests, Serving
from clawactors.eventlog.timers import InProcessTimers
from clawactors.kernel.fold import Snapshot, fold
from clawactors.kernel.kind import Home, Kinds
from clawactors.kinds import DECODER, KINDS
from clawactors.runtime.actor import Actor
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.client.sender import DEADLINE_S
from clawactors.runtime.clock import Clock, SystemClock
from clawactors.runtime.context import ActorContext
from clawactors.runtime.control import Control
from clawactors.runtime.control.blobs import BlobEndpoint
from clawactors.runtime.control.ends import EndNotifier
from clawactors.runtime.control.folded import FoldedSnapshots
from clawactors.runtime.control.forks import ForkKeeper
from clawactors.runtime.control.inprocess import InProcessViews
from clawactors.runtime.control.lookup import StateEndpoint
from clawactors.runtime.control.outputs import OutputEndpoint
from clawactors.runtime.control.ports import Views as ControlViews
from clawactors.runtime.control.predecessors import PredecessorCheck
from clawactors.runtime.control.records import RecordsEndpoint
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.endpoint import CommandEndpoint
from clawactors.runtime.memory import Memories
from clawactors.runtime.node import NodeActor, NodeSettings, Supplies
from clawactors.runtime.node.attempt import Assignment, Attempt
from clawactors.runtime.node.secrets import Secrets
from clawactors.runtime.node.threads import DaemonThreads
from clawactors.systems.nodes import Node
from clawactors.systems.nodes.kind import NODES
from clawactors.systems.placement import PlacementStart
from clawactors.systems.skills import Skill
from clawactors.systems.tasks import TASK, Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.events import CODEC as TASK_CODEC
from clawactors.systems.tasks.events import Scheduled
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.submission import spec_of

PATIENCE_S = 10.0
"""After this a test gives up waiting for something that should have happened long ago."""

ANSWERING = "answering/0"
"""The process that answers clients while there is no control process."""

_LOOK_AGAIN_S = 0.02

_process: ContextVar[str] = ContextVar("process", default="")


class ManualClock:
    """Time stands still until a test moves it; `roll` gives what a test says."""

    def __init__(self, now_s: float = 1_700_000_000.0, roll: float = 0.5) -> None:
        self.now_s, self.chance = now_s, roll

    def now_ns(self) -> int:
        return int(self.now_s * 1e9)

    def monotonic_s(self) -> float:
        return self.now_s

    def roll(self) -> float:
        return self.chance

    def move(self, seconds: float) -> None:
        self.now_s += seconds


class WallClock(ManualClock):
    """The time of day is moved by hand, durations stand still: nobody's lease runs out over it."""

    def monotonic_s(self) -> float:
        return 0.0


class Views(InProcessViews):
    """Keeps every commit that it was given; `gate` holds up the feeding while it is cleared."""

    def __init__(self, start: PlacementStart | None = None) -> None:
        super().__init__(KINDS)
        self.start = start or super().snapshot()
        self.commits: list[Commit] = []
        self.gate = asyncio.Event()
        self.gate.set()

    def snapshot(self) -> Any:
        return self.start

    async def apply(self, commits: Sequence[Commit], upto: int) -> None:
        await super().apply(commits, upto)
        await self.gate.wait()
        self.commits += commits


class Answering:
    """What a control process answers to clients, without placement: for tests in which nothing shall be placed."""

    def __init__(
        self,
        context: ActorContext,
        requests: Requests,
        blobs: InProcessBlobs,
        outputs: Outputs | None = None,
        leases: Leases | None = None,
    ) -> None:
        self._context, self._requests, self._views = context, requests, Views()
        self._snapshots = FoldedSnapshots(lambda: self._views)
        dispatcher = Dispatcher(context, self._snapshots, (PredecessorCheck(self._snapshots),))
        ends = EndNotifier(requests, self._snapshots, is_open=lambda _: False)
        self._ends = ends
        self._parts = (
            ends,
            ForkKeeper(dispatcher, lambda: None),
            BlobEndpoint(blobs),
            OutputEndpoint(outputs or InProcessOutputs()),
            CommandEndpoint(dispatcher, tuple(KINDS), ends.awaits),
        )
        self._lookup = StateEndpoint(self._snapshots, KINDS, Home.CONTROL)
        self._records = RecordsEndpoint(context.log, leases or InProcessLeases(time.monotonic), tuple(KINDS))

    async def serve(self) -> None:
        follower = await self._context.log.follow(KINDS.patterns, after=0)
        self._snapshots.begin(follower, 0)
        for part in self._parts:
            await part.open(self._requests)
        await self._lookup.open(self._requests, "")
        await self._records.open(self._requests, "")
        try:
            async for batch in follower:
                self._snapshots.taken = batch[-1].seq
                commits = [KINDS.decoder.decode(record) for record in batch]
                self._context.time.observe(batch[-1].at_ns)
                before = {commit.id: TASK.is_final(self._views.get("task", commit.id)[0].state) for commit in commits}
                await self._views.apply(commits, follower.position)
                for commit in commits:
                    if commit.fault == "future" and commit.kind == "task":
                        self._ends.on_frozen(commit.id, commit.record.seq, commit.reason)
                for id, had_ended in before.items():
                    known, _ = self._views.get("task", id)
                    if TASK.is_final(known.state) and not had_ended:
                        self._ends.on_ended(id, known.version, known.state.life)
                self._snapshots.folded(follower.position)
        finally:
            for part in (*self._parts, self._lookup, self._records):
                await part.aclose()
            await follower.aclose()


class Link:
    """One process's way to everything shared. Cut, nothing goes through any more, as after a kill.

    With `chance`, every call takes a few turns of the loop, so that whatever can interleave does; `fault` is asked
    before and after each append and raises what it likes.
    """

    def __init__(self, cluster: "Cluster", chance: random.Random | None = None) -> None:
        self._log, self._leases, self._requests = cluster.log, cluster.leases, cluster.requests
        self._chance = chance
        self._down = False
        self._up = asyncio.Event()
        self._up.set()
        self.appends: list[Draft] = []
        self.fault: Callable[[str, Draft], None] = lambda point, draft: None
        self.read_fault: Callable[[], None] = lambda: None
        self.hold: tuple[bytes, asyncio.Event, asyncio.Event] | None = None
        """An append whose body has these bytes sets the first event and waits for the second."""

    def ask_as(self, principal: str) -> None:
        """From now on its requests are this principal's."""
        self._requests = self._requests.of(principal)

    # The cable

    def cut(self) -> None:
        self.unplug()

    def unplug(self) -> None:
        """Calls fail until `plug`; what follows the log is late, not lost."""
        self._down = True
        self._up.clear()

    def plug(self) -> None:
        self._down = False
        self._up.set()

    def _check(self) -> None:
        if self._down:
            raise Unavailable("the cable is out")

    async def turns(self) -> None:
        if self._chance is not None:
            for _ in range(self._chance.choice((0, 0, 1, 2, 5))):
                await asyncio.sleep(0)

    # EventLog

    async def append(self, draft: Draft, expected: int) -> int:
        await self.turns()
        self._check()
        if self.hold is not None and self.hold[0] in draft.body:
            self.hold[1].set()
            await self.hold[2].wait()
        self.fault("before", draft)
        version = await self._log.append(draft, expected)
        self.appends.append(draft)
        await self.turns()
        self.fault("after", draft)
        self._check()
        return version

    async def append_many(self, drafts: Sequence[tuple[Draft, int]]) -> list[int | EventLogError]:
        outcomes: list[int | EventLogError] = []
        for draft, expected in drafts:
            try:
                outcomes.append(await self.append(draft, expected))
            except EventLogError as error:
                outcomes.append(error)
        return outcomes

    async def read(
        self, patterns: Sequence[str], *, after: int = 0, since_ns: int | None = None, until: int | None = None
    ) -> AsyncGenerator[list[Record]]:
        await self.turns()
        self._check()
        self.read_fault()
        async for batch in self._log.read(patterns, after=after, since_ns=since_ns, until=until):
            for some in itertools.batched(batch, self._chance.randint(1, 3) if self._chance else len(batch)):
                yield list(some)
                await self.turns()
                self._check()

    async def follow(self, patterns: Sequence[str], *, after: int | None = None) -> Follower:
        self._check()
        return _LinkedFollower(self, await self._log.follow(patterns, after=after))

    async def head(self) -> Head:
        self._check()
        return await self._log.head()

    # Leases and Requests

    async def acquire(self, key: str, value: bytes, ttl_s: float) -> Lease | None:
        self._check()
        lease = await self._leases.acquire(key, value, ttl_s)
        return None if lease is None else _LinkedLease(self, lease)

    async def get(self, key: str) -> bytes | None:
        self._check()
        return await self._leases.get(key)

    def watch(self, prefix: str) -> AsyncIterator[tuple[str, bytes | None]]:
        return self._leases.watch(prefix)

    async def request(self, subject: str, body: bytes, timeout_s: float) -> bytes:
        self._check()
        return await self._requests.request(subject, body, timeout_s)

    def publish(self, subject: str, body: bytes) -> None:
        if not self._down:
            self._requests.publish(subject, body)

    async def subscribe(self, pattern: str, on_message: Callable[[str, bytes], None]) -> Callable[[], None]:
        self._check()

        def take(subject: str, body: bytes) -> None:
            if not self._down:
                on_message(subject, body)

        return await self._requests.subscribe(pattern, take)

    async def serve(self, subject: str, answer: Any, queue: str = "") -> Serving:
        self._check()

        async def linked(body: bytes) -> bytes:
            if self._down:
                raise NoResponders("the cable is out")
            return await answer(body)

        return await self._requests.serve(subject, linked, queue)

    async def answer(self, pattern: str, handler: Any, **settings: Any) -> Serving:
        self._check()

        async def linked(principal: str, body: bytes) -> bytes:
            if self._down:
                raise NoResponders("the cable is out")
            return await handler(principal, body)

        return await self._requests.answer(pattern, linked, **settings)


class _LinkedFollower:
    def __init__(self, link: Link, follower: Follower) -> None:
        self._link, self._follower = link, follower
        self._on_the_way = asyncio.Event()
        self._on_the_way.set()

    @property
    def position(self) -> int:
        return self._follower.position

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Record]:
        batch = await anext(self._follower)
        self._on_the_way.clear()
        await self._link.turns()
        await self._link._up.wait()
        self._on_the_way.set()
        return batch

    async def caught_up(self) -> None:
        await self._follower.caught_up()
        await self._on_the_way.wait()

    async def aclose(self) -> None:
        await self._follower.aclose()


class _LinkedLease:
    def __init__(self, link: Link, lease: Lease) -> None:
        self._link, self._lease = link, lease

    async def renew(self, value: bytes) -> bool:
        self._link._check()
        return await self._lease.renew(value)

    async def release(self) -> None:
        self._link._check()
        await self._lease.release()


class Cluster:
    """Controls, nodes and clients on one log. Leaving it stops whatever still runs."""

    def __init__(
        self,
        clock: Clock | None = None,
        seed: int | None = None,
        log: type[InProcessLog] = InProcessLog,
        kinds: Kinds = KINDS,
    ) -> None:
        self.kinds = kinds
        self.clock = clock or SystemClock()
        self.log = log(self.clock.now_ns)
        self.leases, self.requests = InProcessLeases(self.clock.monotonic_s), InProcessRequests()
        self.dead, self.timers = InProcessDeadLetters(), InProcessTimers(self.clock.now_ns)
        self.blobs, self.outputs = InProcessBlobs(self.clock.now_ns), InProcessOutputs()
        self.commands_in = InProcessCommands()
        self.chance = None if seed is None else random.Random(seed)
        self.links: dict[str, Link] = {}
        self.fault: Callable[[str, Draft], None] | None = None
        self.read_fault: Callable[[], None] | None = None
        """What links that are made from now on begin with."""
        self.controls: dict[str, Control] = {}
        self.nodes: dict[str, NodeActor] = {}
        self.mains: dict[str, asyncio.Task[None]] = {}
        self._names = itertools.count(1)
        self.answers = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for name in list(self.links):
            await self.kill(name)
        await self.log.aclose()

    def link(self, name: str) -> Link:
        """A new way in for the process of that name."""
        link = self.links[name] = Link(self, self.chance and random.Random(self.chance.random()))
        if self.fault is not None:
            link.fault = self.fault
        if self.read_fault is not None:
            link.read_fault = self.read_fault
        return link

    def context(self, name: str, by: str = "", node: str = "") -> ActorContext:
        return ActorContext(self.link(name), self.clock, by or name, node)

    def spawn(self, process: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs it, and whatever it starts, as a part of that process."""
        token = _process.set(process)
        try:
            return asyncio.create_task(work)
        finally:
            _process.reset(token)

    async def control(self, name: str = "", views: ControlViews | None = None, **settings: Any) -> Control:
        """A control process that runs; it takes over from what only answers."""
        await self.kill(ANSWERING)
        name = name or f"control/{next(self._names)}"
        context = self.context(name, f"{name}/{next(self._names)}")
        link = self.links[name]
        control = self.controls[name] = Control(
            context,
            link,
            link,
            views or Views(),
            self.dead,
            self.timers,
            self.commands_in,
            self.blobs,
            self.outputs,
            self.kinds,
            **settings,
        )
        self.answers = True
        self.mains[name] = self.spawn(name, control.serve())
        return control

    async def node(
        self,
        id: str,
        skills: Iterable[Skill],
        slots: int = 5,
        *,
        as_process: str = "",
        secrets: Secrets | None = None,
        **settings: Any,
    ) -> NodeActor:
        """A node that runs."""
        name = as_process or f"node/{id}"
        context = self.context(name, f"{name}/{next(self._names)}", node=id)
        link = self.links[name]
        supplies = Supplies(self.blobs, self.outputs, secrets)
        node = NodeActor(context, link, link, NodeSettings(id=id, slots=slots, **settings), skills, supplies)
        started = asyncio.Event()

        async def life() -> None:
            await node.start()
            started.set()
            await node.serve()

        main = self.mains[name] = self.spawn(name, life())
        on = asyncio.ensure_future(started.wait())
        await asyncio.wait((main, on), return_when=asyncio.FIRST_COMPLETED)
        on.cancel()
        if not started.is_set():
            if main.cancelled():
                raise Unavailable(f"node {id} was killed while it started")
            main.result()
        self.nodes[id] = node
        return node

    def client(self, name: str = "", *, timeout_s: float = DEADLINE_S) -> ClusterClient:
        """A client; without a control process, something else answers it that places nothing."""
        name = name or f"client/{next(self._names)}"
        if not self.answers:
            self.answer()
        context = self.context(name)
        link = self.links[name]
        link.ask_as(context.by.partition("/")[2] or context.by)
        return ClusterClient(context, link, timeout_s)

    def answer(self) -> None:
        """From now on clients are answered by a process that places nothing."""
        self.answers = True
        context = self.context(ANSWERING, "control/answering")
        link = self.links[ANSWERING]
        answering = Answering(context, link, self.blobs, self.outputs, link)
        self.mains[ANSWERING] = self.spawn(ANSWERING, answering.serve())

    async def kill(self, name: str) -> None:
        """Ends the process as SIGKILL would: from now on it reaches nothing, and none of its code goes on."""
        if (link := self.links.pop(name, None)) is not None:
            link.cut()
        while running := [task for task in asyncio.all_tasks() if task.get_context().get(_process) == name]:
            for task in running:
                task.cancel()
            await asyncio.wait(running, timeout=1)
        if (main := self.mains.pop(name, None)) is not None:
            with contextlib.suppress(asyncio.CancelledError, BaseException):
                main.result()

    async def finish(self, name: str) -> None:
        """Waits until the process has ended by itself; raises what it ended with."""
        async with asyncio.timeout(PATIENCE_S):
            await self.mains[name]

    # What the log says

    def commits(self, id: str = "", kind: str = "task") -> Iterator[Commit]:
        for record in self.log._records:
            commit = DECODER.decode(record)
            if commit.kind == kind and id in ("", commit.id):
                yield commit

    def events(self, id: str, kind: str = "task") -> list[Any]:
        return [event for commit in self.commits(id, kind) for event in commit.events]

    def named(self, id: str, kind: str = "task") -> list[str]:
        """The tags of the events, in order."""
        return [event.__struct_config__.tag for event in self.events(id, kind)]

    def task(self, id: str) -> Task:
        return self.folded(id).state

    def folded(self, id: str) -> Snapshot[Task]:
        known: Snapshot[Task] = Snapshot(Task())
        for commit in self.commits(id):
            known = fold(TASKS, known, commit.record)
        return known

    def node_state(self, id: str) -> Node:
        known: Snapshot[Node] = Snapshot(Node())
        for commit in self.commits(id, "node"):
            known = fold(NODES, known, commit.record)
        return known.state

    async def until(self, holds: Callable[[], object], what: str = "") -> None:
        """Returns when it holds; looks again whenever something is appended."""
        await until(self.log, holds, what)

    async def until_status(self, id: str, *statuses: str) -> Task:
        await self.until(lambda: self.task(id).life.status in statuses, f"{id} {statuses}")
        return self.task(id)

    async def until_event(self, id: str, tag: str, kind: str = "task") -> None:
        await self.until(lambda: tag in self.named(id, kind), f"{id} {tag}")


async def until(log: InProcessLog, holds: Callable[[], object], what: str = "") -> None:
    """Returns when it holds; looks again whenever something is appended, and shortly after that."""
    follower = await log.follow(["claw.>"])
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(anext(follower), _LOOK_AGAIN_S)
    except TimeoutError:
        raise AssertionError(f"it never came: {what}") from None
    finally:
        await follower.aclose()


async def all_turns() -> None:
    """Lets everything that is ready run until nothing but timers and other threads is left."""
    for _ in range(200):
        await asyncio.sleep(0)


def reading(id: str) -> list[str]:
    return [aggregate_pattern("task", id)]


class Stage(Cluster):
    """One node's side of tasks without the node: gives tasks away by hand and runs single attempts."""

    def __init__(self, clock: Clock | None = None, seed: int | None = None) -> None:
        super().__init__(clock, seed)
        self.threads = DaemonThreads("test")
        self.here = self.context("node/n1")
        self.wire = self.links["node/n1"]
        self.runs: list[asyncio.Task[None]] = []
        self.secrets = Secrets()
        self.memories: Memories | None = None

    async def tell(self, id: str, *commands: c.TaskCommand) -> Task:
        """Somebody else decides on the task."""
        return await self.tell_to("", id, *commands)

    async def tell_to(self, node: str, id: str, *commands: c.TaskCommand) -> Task:
        """Somebody else decides on the task, and the node hears of it."""
        writers = {fence.node if (fence := getattr(command, "fence", None)) else "" for command in commands}
        writer = writers.pop() if len(writers) == 1 else ""
        actor = Actor(ActorContext(self.log, self.clock, "test/else", writer), TASKS, id)
        await actor.catch_up()
        for command in commands:
            await actor.handle(command)
        return actor.state

    async def assign(
        self, skill: Skill | None, params: dict[str, Any] | None = None, id: str = "t", **options: Any
    ) -> Attempt:
        """Submits the task unless it is there, gives it to this node, and is about to run it."""
        name = skill.name if skill else "nobody-knows"
        if not self.task(id).exists:
            await self.tell(id, c.Submit(spec_of(name, params, **options)))
        if self.task(id).life.status == "waiting":
            await self.tell(id, c.Ready())
        await self.tell(id, c.ScheduleTask("n1", f"i{next(self._names)}"))
        record = [commit.record for commit in self.commits(id)][-1]
        [event] = TASK_CODEC.decode(record.body)
        assert isinstance(event, Scheduled)
        given = Assignment(id, record.seq, event, record.at_ns)
        supplies = Supplies(self.blobs, self.outputs, self.secrets)
        return Attempt(self.here, given, skill, self.threads, supplies, memories=self.memories)

    def begin(self, run: Attempt) -> asyncio.Task[None]:
        task = self.spawn("node/n1", run.run())
        self.runs.append(task)
        return task

    async def run(self, skill: Skill | None, params: dict[str, Any] | None = None, **options: Any) -> Task:
        """Runs one attempt to its end; the task after it."""
        run = await self.assign(skill, params, **options)
        async with asyncio.timeout(PATIENCE_S):
            await self.begin(run)
        return self.task(run.id)

    async def interrupt(self, id: str = "t") -> None:
        """Its node was lost."""
        await self.tell(id, c.Interrupt(self.task(id).fence, "its node is gone"))

    async def hear(self, run: Attempt) -> None:
        """What was appended last reaches the run, as its node would bring it."""
        await run.observe([commit.record for commit in self.commits(run.id)][-1])
