"""A whole cluster in one event loop: processes that can be killed, a log that can fail, a clock that is set by hand."""

import asyncio
import contextlib
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextvars import Context
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from clawactors.eventlog import (
    Draft,
    InProcessLog,
    Unavailable,
    aggregate_pattern,
)
from clawactors.eventlog.blobs import InProcessBlobs
from clawactors.eventlog.decoding import Commit
from clawactors.eventlog.leases import InProcessLeases, Leases
from clawactors.eventlog.outputs import InProcessOutputs, Outputs
from clawactors.eventlog.requests import Requests
from clawactors.kernel.fold import Snapshot, fold
from clawactors.kernel.kind import Home
from clawactors.kinds import DECODER, KINDS
from clawactors.runtime.actor import Actor
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.client.sender import DEADLINE_S
from clawactors.runtime.clock import Clock
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
from clawactors.runtime.node.attempt.assigned import Assignment
from clawactors.runtime.node.attempt.attempt import Attempt
from clawactors.runtime.node.secrets import Secrets
from clawactors.runtime.node.supplies import Supplies
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
from clawactors.testing.inprocess import InProcessCluster
from clawactors.testing.link import Link

PATIENCE_S = 10.0
"""After this a test gives up waiting for something that should have happened long ago."""

ANSWERING = "answering/0"
"""The process that answers clients while there is no control process."""

_LOOK_AGAIN_S = 0.02


class ManualClock:
    """Time stands still until a test moves it; `roll` gives what a test says."""

    def __init__(self, now_s: float = 1_700_000_000.0, roll: float = 0.5) -> None:
        self.now_s, self.chance = now_s, roll

    def now_ns(self) -> int:
        return int(self.now_s * 1e9)

    def monotonic_s(self) -> float:
        return self.now_s

    def elapsed_ns(self) -> int:
        return self.now_ns()

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
        self._records = RecordsEndpoint(
            context.log, context.time, leases or InProcessLeases(time.monotonic), blobs, KINDS
        )

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


class HoldingLink(Link):
    """A link that can hold an append."""

    hold: tuple[bytes, asyncio.Event, asyncio.Event] | None = None
    """An append whose body has these bytes sets the first event and waits for the second."""

    async def append(self, draft: Draft, expected: int) -> int:
        if self.hold is not None and self.hold[0] in draft.body and not self._down:
            self.hold[1].set()
            await self.hold[2].wait()
        return await super().append(draft, expected)


class Cluster(InProcessCluster):
    """The cluster of the test kit with what our own tests look at. Without a control process, clients are answered."""

    link_type = HoldingLink
    links: dict[str, HoldingLink]  # type: ignore[assignment]
    answers = False

    async def control(self, name: str = "", views: ControlViews | None = None, **settings: Any) -> Control:
        """A control process that runs; it takes over from what only answers."""
        await self.kill(ANSWERING)
        self.answers = True
        return await super().control(name, views, **settings)

    def views(self) -> ControlViews:
        return Views()

    def client(self, name: str = "", *, timeout_s: float = DEADLINE_S) -> ClusterClient:
        """A client; without a control process, something else answers it that places nothing."""
        name = name or f"client/{next(self._names)}"
        if not self.answers:
            self.answer()
        return super().client(name, timeout_s=timeout_s)

    def answer(self) -> None:
        """From now on clients are answered by a process that places nothing."""
        self.answers = True
        context = self.context(ANSWERING, "control/answering")
        link = self.links[ANSWERING]
        answering = Answering(context, link, self.blobs, self.outputs, link)
        self.mains[ANSWERING] = self.spawn(ANSWERING, answering.serve())

    async def finish(self, name: str) -> None:
        """Waits until the process has ended by itself; raises what it ended with."""
        async with asyncio.timeout(PATIENCE_S):
            await self.mains[name]

    # What the log says

    def commits(self, id: str = "", kind: str = "task") -> Iterator[Commit]:
        for record in filter(None, self.log._records):
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

    async def until(self, holds: Callable[[], object], what: str = "", patience_s: float = PATIENCE_S) -> None:
        """Returns when it holds; looks again whenever something is appended."""
        await until(self.log, holds, what, patience_s)

    async def until_status(self, id: str, *statuses: str) -> Task:
        await self.until(lambda: self.task(id).life.status in statuses, f"{id} {statuses}")
        return self.task(id)

    async def until_event(self, id: str, tag: str, kind: str = "task") -> None:
        await self.until(lambda: tag in self.named(id, kind), f"{id} {tag}")


async def until(log: InProcessLog, holds: Callable[[], object], what: str = "", patience_s: float = PATIENCE_S) -> None:
    """Returns when it holds; looks again whenever something is appended, and shortly after that."""
    follower = await log.follow(["claw.>"])
    try:
        async with asyncio.timeout(patience_s):
            while not holds():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(anext(follower), _LOOK_AGAIN_S)
    except TimeoutError:
        raise AssertionError(f"it never came: {what}") from None
    finally:
        await follower.aclose()


class KillAt:
    """Kills the process that appends the `at`-th commit of a task, before or after it is stored: `point`. 0: none."""

    def __init__(self, cluster: Cluster, id: str, at: int, point: str) -> None:
        self._cluster, self._id, self._at, self._point = cluster, id, at, point
        self.count = 0
        self.dying: list[asyncio.Task[None]] = []

    def watch(self, name: str) -> None:
        """That process, as in `node/n1`, is struck where it makes the append."""
        self._cluster.links[name].fault = partial(self._fault, name)

    def _fault(self, name: str, when: str, draft: Any) -> None:
        if draft.id != self._id:
            return
        self.count += when == self._point
        if when == self._point and self.count == self._at and name in self._cluster.links:
            self._cluster.links[name].unplug()
            killing = self._cluster.kill(name)
            self.dying.append(asyncio.get_running_loop().create_task(killing, context=Context()))
            raise Unavailable("killed")


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
        run = Attempt(self.here, given, skill, self.threads, supplies, memories=self.memories)
        run.on_park = lambda _: run.stop("unpark")  # as a node does that keeps no run in memory
        return run

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


def page(file: str) -> ModuleType:
    """The module of that name in `docs/tasks.md`."""
    text = Path(__file__).parents[3].joinpath("docs", "tasks.md").read_text("utf-8")
    [code] = re.findall(rf"```python\n# {re.escape(file)}\n(.*?)```", text, re.DOTALL)
    module = sys.modules[f"page_{file}"] = ModuleType(f"page_{file}")
    exec(compile(code, file, "exec"), vars(module))  # noqa: S102 - our own page
    return module
