"""A seeded life of a whole cluster: everything that may happen to it happens, and its log is judged at every record.

Promises (the numbers stand in the complaints):
1. What was acknowledged is in the log, and nothing that a process decided is illegal where it stands.
2. A node's word counts only for the attempt that runs there.
3. Each step is recorded once, and no later attempt runs a step that is on record.
4. A node runs no more tasks at a time than it was ever given slots.
5. In the end no task is left open, and who waited was told what the log says.
6. Views get every commit once and in order; placement holds nothing that has ended.
7. A task that comes after others goes on when they have ended as it wants, and not before.
"""

import asyncio
import contextlib
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from clawactors import Retry, skill
from clawactors.eventlog import Draft, InProcessLog, Unavailable
from clawactors.eventlog.record import Record
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot, fold
from clawactors.kinds import DECODER, KINDS
from clawactors.runtime.actor import Actor
from clawactors.runtime.client import ClusterClient, TaskFailed
from clawactors.runtime.client.submitting import TaskRequest
from clawactors.runtime.client.waiting import TaskBlocked
from clawactors.runtime.context import ActorContext
from clawactors.runtime.node.context import TaskContext
from clawactors.systems.erasures import Erasure
from clawactors.systems.nodes import Node
from clawactors.systems.nodes import commands as nc
from clawactors.systems.nodes import events as ne
from clawactors.systems.nodes.kind import NODES
from clawactors.systems.schedules import Schedule
from clawactors.systems.tasks import TASK, Status, Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.submission import spec_of
from clawactors.systems.tasks.task import FINAL
from clawactors.systems.triggers import Trigger
from tests.clawactors.runtime.cluster import Cluster, Views

OF_A_RUN = (
    e.Started | e.Returned | e.StepStarted | e.StepCompleted | e.StepFailed | e.StepCompensated | e.Waiting
    | e.AttemptFailed | e.Completed
)  # fmt: skip
"""Events that only the node may append that the task was given to."""

PATIENCE_S = 600.0


class AuditedLog(InProcessLog):
    """Judges every record when it is stored."""

    audit: "Audit"

    def __init__(self, clock: Callable[[], int]) -> None:
        self._last_ns = 0
        super().__init__(lambda: self._later(clock()))

    def _later(self, now_ns: int) -> int:
        self._last_ns = max(self._last_ns + 1, now_ns)  # virtual time stands still while there is something to do
        return self._last_ns

    def publish(self, subject: str, body: bytes, headers: bytes = b"") -> int:
        seq = super().publish(subject, body, headers)
        self.audit.hear(self._records[seq - 1])
        return seq


class Audit:
    """The state of everything as of the last record, and what went wrong on the way."""

    def __init__(self) -> None:
        self.tasks: dict[str, Snapshot[Task]] = {}
        self.nodes: dict[str, Snapshot[Node]] = {}
        self.incarnations: dict[str, str] = {}
        self.recorded: Counter[tuple[str, str]] = Counter()
        self.complaints: list[str] = []
        self.changed = asyncio.Event()

    def hear(self, record: Record) -> None:
        commit = DECODER.decode(record)
        guarded = record.expected >= 0
        if commit.kind == "task" and commit.id:
            before = self.tasks.get(commit.id, Snapshot(Task()))
            if guarded:
                self._judge(before.state, record, commit.events)
            self._judge_order(before.state, record, commit.events)
            after = self.tasks[commit.id] = fold(TASKS, before, record)
            self.recorded.update(
                (commit.id, event.step) for event in commit.events if isinstance(event, e.StepCompleted)
            )
        elif commit.kind == "node" and commit.id:
            if guarded:  # a node may be at work before whoever started it is told so: the log knows first
                self.incarnations.update(
                    (record.by, event.incarnation) for event in commit.events if isinstance(event, ne.NodeJoined)
                )
            known = self.nodes.get(commit.id, Snapshot(Node()))
            after = self.nodes[commit.id] = fold(NODES, known, record)  # type: ignore[assignment]
        else:
            return
        if guarded and after.fault:
            self.complaints.append(f"1: record {record.seq} by {record.by}: {after.fault} ({record.body!r})")
        self.changed.set()

    def _judge_order(self, task: Task, record: Record, events: Iterable[e.TaskEvent]) -> None:
        if task.spec is None or task.life.waiting_for != "dependency" or record.expected < 0:
            return
        enough = FINAL if task.spec.on_dead == "run" else ("completed",)
        if any(isinstance(event, e.Readied) for event in events):
            for id in task.spec.after:
                status = self.tasks.get(id, Snapshot(Task())).state.life.status
                if status not in enough:
                    self.complaints.append(f"7: record {record.seq} lets go what comes after {id}, which is {status}")

    def _judge(self, task: Task, record: Record, events: Iterable[e.TaskEvent]) -> None:
        for event in events:
            if isinstance(event, OF_A_RUN) and not _waits_for_others(event):
                node, incarnation = task.life.node, self.incarnations.get(record.by, "?")
                if not record.by.startswith(f"node/{node}/") or task.life.incarnation != incarnation:
                    self.complaints.append(f"2: record {record.seq} by {record.by} ({incarnation}), not {task.fence}")


def _waits_for_others(event: e.TaskEvent) -> bool:
    """Placement puts a task back to wait whose dead predecessor was tried again."""
    return isinstance(event, e.Waiting) and event.reason == "dependency"


class FoldedSnapshot:
    """What a view would hold that has folded the log up to a position."""

    def __init__(self, log: InProcessLog, position: int) -> None:
        self.position = position
        audit = Audit()
        for record in log._records[:position]:
            audit.hear(record)
        self._audit = audit

    def open_tasks(self) -> Iterable[tuple[str, int, Task]]:
        for id, known in self._audit.tasks.items():
            if known.state.exists and known.state.life.status not in FINAL:
                yield id, known.version, known.state

    def ended(self) -> Iterable[tuple[str, Status]]:
        for id, known in self._audit.tasks.items():
            if known.state.exists and known.state.life.status in FINAL:
                yield id, known.state.life.status

    def nodes(self) -> Iterable[tuple[str, int, Node]]:
        for id, known in self._audit.nodes.items():
            if known.state.status not in ("absent", "removed"):
                yield id, known.version, known.state

    def schedules(self) -> Iterable[tuple[str, int, Schedule]]:
        return ()

    def triggers(self) -> Iterable[tuple[str, int, Trigger]]:
        return ()

    def erasures(self) -> Iterable[tuple[str, int, Erasure]]:
        return ()

    def frozen(self) -> Iterable[tuple[str, str]]:
        return ()


class LoopClock:
    """The time of the loop, and chance from the seed."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def now_ns(self) -> int:
        return 1_700_000_000_000_000_000 + int(self.monotonic_s() * 1e9)

    def monotonic_s(self) -> float:
        return asyncio.get_running_loop().time()

    def elapsed_ns(self) -> int:
        return self.now_ns()

    def roll(self) -> float:
        return self._chance.random()


class World:
    """`live` is one life; `complaints` is what it leaves to be said."""

    def __init__(self, seed: int, *, tasks: int, controls: int, nodes: int, trouble: float) -> None:
        self.seed, self.chance = seed, random.Random(seed)
        self.wanted, self.controls, self.trouble = tasks, controls, trouble
        self.cluster = Cluster(LoopClock(self.chance), seed, AuditedLog)
        self.audit = Audit()
        assert isinstance(self.cluster.log, AuditedLog)
        self.cluster.log.audit = self.audit
        self.slots = {f"n{n}": self.chance.randint(1, 4) for n in range(nodes)}
        self.most_slots = dict(self.slots)
        self.inside: Counter[tuple[str, str]] = Counter()
        self.killed: set[tuple[str, str]] = set()
        self.steps: dict[str, int] = {}
        self.calls: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        self.views: dict[str, list[Views]] = {}
        self.acknowledged: set[str] = set()
        self.waiters: list[asyncio.Task[None]] = []
        self.calm = self.enough = False
        self.skill = self._skill()

    def complain(self, text: str) -> None:
        self.audit.complaints.append(text)

    # The code that runs

    def _skill(self) -> Any:
        @skill("job", retry=Retry(max_retries=3, wait_s=0.1, cap_s=1))
        async def job(task: TaskContext, steps: int, wide: bool, bad: float) -> int:
            place = task._attempt.fence.node, task._attempt.fence.incarnation
            self.inside[place] += 1
            if self.inside[place] > self.most_slots[place[0]] and place not in self.killed:
                self.complain(f"4: {self.inside[place]} tasks at once on {place}")
            try:
                if wide:
                    each = [task.step(f"s{n}", self._step, task, n, bad) for n in range(steps)]
                    return sum(await asyncio.gather(*each))
                total = 0
                for n in range(steps):
                    total += await task.step(f"s{n}", self._step, task, n, bad)
                    task.progress(n + 1, steps)
                return total
            finally:
                self.inside[place] -= 1

        return job

    async def _step(self, task: TaskContext, n: int, bad: float) -> int:
        name = f"s{n}"
        self.calls[task.id, name].append(task.attempt)
        entry = self.audit.tasks[task.id].state.journal.last(name)
        if entry is not None and entry.status == "completed" and entry.attempt < task.attempt:
            self.complain(f"3: {task.id} runs {name} in attempt {task.attempt}, on record since {entry.attempt}")
        await asyncio.sleep(self.chance.choice((0, 0, 0.001, 0.03, 0.3)))
        if self.chance.random() < bad:
            raise RuntimeError("bad luck")
        return n

    # Processes

    def _fault(self, point: str, draft: Draft) -> None:
        if not self.calm and self.chance.random() < self.trouble:
            raise Unavailable(f"{point} it was stored")

    def _read_fault(self) -> None:
        if not self.calm and self.chance.random() < self.trouble:
            raise Unavailable("not now")

    async def _kill_node(self, id: str) -> None:
        if (node := self.cluster.nodes.get(id)) is not None:
            self.killed.add((id, node.incarnation))  # what still unwinds of it is no life of its own
        await self.cluster.kill(f"node/{id}")

    async def _node(self, id: str) -> None:
        """Starts it, as a supervisor would until it stays."""
        while True:
            await self._kill_node(id)
            with contextlib.suppress(Unavailable, Refused):
                await self.cluster.node(id, [self.skill], self.slots[id], lease_s=1.5, grace_s=1.0)
                return
            await asyncio.sleep(0.1)

    async def _control(self, name: str) -> None:
        await self.cluster.kill(name)
        position = self.chance.choice((0, self.cluster.log.last_seq, self.chance.randint(0, self.cluster.log.last_seq)))
        views = Views(FoldedSnapshot(self.cluster.log, position))
        views.fold(KINDS.decoder.decode(record) for record in self.cluster.log._records[:position])
        self.views.setdefault(name, []).append(views)
        await self.cluster.control(name, views)

    def _client(self) -> ClusterClient:
        client = self.cluster.client()
        client.skills.add([self.skill.offer])
        return client

    # Users

    def _request(self, n: int) -> TaskRequest:
        id = f"t{n}"
        steps = self.steps[id] = self.chance.choice((0, 1, 2, 5, 9))
        bad = self.chance.choice((0, 0, 0.1))
        before = (
            [f"t{self.chance.randrange(max(0, n - 40), n)}" for _ in range(self.chance.choice((1, 1, 2, 5)))]
            if n
            else []
        )
        spec = spec_of(
            "job",
            {"steps": steps, "wide": self.chance.random() < 0.3, "bad": bad},
            after=before if self.chance.random() < 0.3 else (),
            on_dead=self.chance.choice(("run", "run", "fail", "block")),
        )
        return TaskRequest(id, spec)

    async def _users(self) -> None:
        n = 0
        while n < self.wanted:
            requests = [self._request(n + k) for k in range(min(self.chance.choice((1, 1, 5, 30)), self.wanted - n))]
            n += len(requests)
            self.chance.shuffle(requests)
            client = self._client()
            while True:
                with contextlib.suppress(Unavailable):
                    batch = await client.submit_many(requests)
                    if batch.refused:
                        self.complain(f"1: refused {batch.refused}")
                    break
            self.acknowledged.update(request.id for request in requests)
            if self.chance.random() < 0.5:
                ids = [request.id for request in requests]
                self.waiters.append(asyncio.create_task(self._wait(client, self.chance.choice(ids))))
            await asyncio.sleep(self.chance.choice((0, 0.1, 0.5, 3)))

    async def _wait_for_many(self) -> None:
        """Of more tasks than are listened to one by one, each is told to have ended, and has."""
        client = self._client()
        ids = {f"t{n}" for n in range(self.wanted)}
        try:
            async with asyncio.timeout(PATIENCE_S):
                while ids:
                    there = [id for id in ids if id in self.acknowledged]
                    with contextlib.suppress(Unavailable):
                        async for id in client.ended(there):
                            known = self.audit.tasks[id]
                            if not TASK.is_final(known.state):
                                self.complain(f"5: {id} was told to have ended: {known.state.life}")
                            ids.discard(id)
                    await asyncio.sleep(0.1)  # for those that are not submitted yet
        except TimeoutError:
            self.complain(f"5: of {ids} no end was heard")

    async def _wait(self, client: ClusterClient, id: str) -> None:
        until = self.cluster.clock.monotonic_s() + PATIENCE_S
        while True:
            try:
                told = ("completed", await client.ref(id).result(PATIENCE_S))
            except TaskBlocked:
                if self.cluster.clock.monotonic_s() < until:
                    await asyncio.sleep(1)  # until somebody retries it
                    continue
                told = ("blocked", None)
            except TaskFailed as failure:
                told = (failure.status, None)
            except Unavailable:
                continue
            except TimeoutError:
                told = ("nothing", None)
            life = self.audit.tasks[id].state.life
            if told != (life.status, life.result):
                self.complain(f"5: who waited for {id} was told {told}, the log says {life.status} {life.result}")
            return

    async def _command(self, id: str, command: c.TaskCommand) -> None:
        with contextlib.suppress(Unavailable, Refused):
            await self._client().command(id, command)

    async def _tell_node(self, id: str, command: nc.NodeCommand) -> None:
        actor = Actor(ActorContext(self.cluster.log, self.cluster.clock, "user/ops"), NODES, id)
        with contextlib.suppress(Refused):
            await actor.catch_up()
            await actor.handle(command)

    # Fate

    async def _fate(self) -> None:
        """One thing that happens."""
        chance, cluster = self.chance, self.cluster
        id = chance.choice(list(self.slots))
        control = f"control/{chance.randrange(self.controls)}"
        task = chance.choice(self._open() or sorted(self.acknowledged) or [""])
        match chance.randrange(14):
            case 0 | 1:
                await self._kill_node(id)
                self._hint(id)
                await asyncio.sleep(chance.choice((0, 0.2, 3)))
                await self._node(id)
            case 2:
                await self._control(control)
            case 3 | 4:
                await self._cut(chance.choice((f"node/{id}", control)), chance.choice((0.1, 1, 4)), id)
            case 5:
                if (main := cluster.mains.get(f"node/{id}")) is not None and id in cluster.nodes:
                    cluster.nodes[id].stop()
                    await asyncio.wait((main,), timeout=10)
                await self._node(id)
            case 6 if task:
                await self._command(task, c.Cancel("user"))
            case 7 if task:
                await self._command(task, c.Pause("user"))
                await asyncio.sleep(chance.choice((0, 0.1, 1)))
                await self._command(task, c.Resume())
            case 8 if task:
                for task in self._open()[:20]:
                    await self._command(task, c.Signal("hello", 1))
            case 9:
                await self._tell_node(id, chance.choice((nc.DrainNode(held=True), nc.CordonNode())))
                await asyncio.sleep(chance.choice((0.1, 2)))
                await self._tell_node(id, nc.UncordonNode())
            case 10:
                self.slots[id] = chance.randint(1, 4)
                self.most_slots[id] = max(self.most_slots[id], self.slots[id])
                await self._tell_node(id, nc.ConfigureNode(slots=self.slots[id]))
            case 11 if task:
                tail = chance.choice(("log", f"to.{id}", "odd.place"))
                cluster.log.publish(f"claw.task.{task}.{tail}", chance.choice((b"", b"{", b'{"v":1,"events":[]}')))
            case 12 if task:
                incarnation = self.audit.nodes[id].state.incarnation if id in self.audit.nodes else "x"
                lie: e.TaskEvent = chance.choice(
                    (
                        e.Cancelled(),
                        e.Completed(7),
                        e.Scheduled(node=id, incarnation=incarnation, attempt=chance.choice((1, 99)), skill="job"),
                    )
                )
                if TASK.evolve(self.audit.tasks[task].state, lie, 1) is self.audit.tasks[task].state:
                    cluster.log.publish(f"claw.task.{task}.to.{id}", e.CODEC.encode((lie,)))
            case _:
                self._hint(id)

    def _hint(self, id: str) -> None:
        for control in self.cluster.controls.values():
            control.watch.suspect(id)

    async def _cut(self, name: str, seconds: float, id: str) -> None:
        if (link := self.cluster.links.get(name)) is not None:
            link.unplug()
            if self.chance.random() < 0.5:
                self._hint(id)
            await asyncio.sleep(seconds)
            link.plug()

    async def _fates(self) -> None:
        while not self.enough:
            await self._fate()
            await asyncio.sleep(self.chance.choice((0, 0.01, 0.1, 0.4)))

    # A life

    async def live(self) -> list[str]:
        """Lives, heals, waits for the end; returns the complaints."""
        async with self.cluster as cluster:
            cluster.fault, cluster.read_fault = self._fault, self._read_fault
            for n in range(self.controls):
                await self._control(f"control/{n}")
            for id in self.slots:
                await self._node(id)
            self.waiters.append(asyncio.create_task(self._wait_for_many()))
            fates = [asyncio.create_task(self._fates()) for _ in range(2)]
            await self._users()
            self.enough = True
            await asyncio.gather(*fates)  # each ends what it has begun: a node that is being started, say
            await self._heal()
            await self._end()
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.gather(*self.waiters)
            self._check_the_end()
        return self.audit.complaints

    async def _heal(self) -> None:
        self.calm = True
        for link in self.cluster.links.values():
            link.plug()
        for n in range(self.controls):
            main = self.cluster.mains.get(f"control/{n}")
            if main is None or main.done():
                await self._control(f"control/{n}")
        for id in self.slots:
            main = self.cluster.mains.get(f"node/{id}")
            if main is None or main.done() or self.cluster.nodes[id]._stopping.is_set():
                await self._node(id)
            while self.audit.nodes[id].state.status != "online":  # one that is offline still has to come back
                await self._tell_node(id, nc.UncordonNode())
                await asyncio.sleep(0.1)
        missing = [id for id in self.acknowledged if id not in self.audit.tasks]
        if missing:
            raise AssertionError(f"1: acknowledged and not in the log: {missing}; {self.audit.complaints}")
        for id in self.acknowledged:
            if self.audit.tasks[id].state.life.status == "paused":
                await self._command(id, c.Resume())

    def _open(self) -> list[str]:
        return [id for id, known in self.audit.tasks.items() if known.state.exists and not TASK.is_final(known.state)]

    async def _end(self) -> None:
        """Returns when all tasks have ended, or nothing more comes."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while open_ids := self._open():
                    self.audit.changed.clear()
                    for id in open_ids:
                        if self.audit.tasks[id].state.life.status == "blocked":
                            await self._command(id, c.RetryTask("user"))
                    await self.audit.changed.wait()
        for id in self._open():
            history = [(commit.record.seq, commit.record.by, *commit.events) for commit in self.cluster.commits(id)]
            self.complain(f"5: {id} is left {self.audit.tasks[id].state.life}: {history}")
        await asyncio.sleep(3)  # followers and views get the last of it

    def _check_the_end(self) -> None:
        for id in self.acknowledged:
            task = self.audit.tasks[id].state
            if not task.exists:
                self.complain(f"1: {id} was acknowledged and is not in the log")
            elif task.life.status == "completed" and task.life.result != sum(range(self.steps[id])):
                self.complain(f"3: {id} has the result {task.life.result}")
            times = [self.audit.recorded[id, f"s{n}"] for n in range(self.steps[id])]
            if any(count > 1 for count in times) or (task.life.status == "completed" and 0 in times):
                self.complain(f"3: {id} is {task.life.status} and has recorded its steps {times} times")
            alone = task.life.error is None or task.life.error.kind != "dependency"
            if task.life.status == "failed" and alone and not task.life.cancel_requested:
                self.complain(f"5: {id} failed: {task.life.error}")  # bad luck is tried again, nothing else may happen
        for name, lives in self.views.items():
            for views in lives:
                seqs = [commit.record.seq for commit in views.commits]
                if seqs != list(range(views.start.position + 1, views.start.position + 1 + len(seqs))):
                    self.complain(f"6: the views of {name} got {seqs}")
            if lives[-1].commits and lives[-1].commits[-1].record.seq != self.cluster.log.last_seq:
                self.complain(f"6: the views of {name} stand at {lives[-1].commits[-1].record.seq}")
        for name, control in self.cluster.controls.items():
            state = control.state
            held = [node.id for node in state.nodes.by_id.values() if node.assigned]
            if state.tasks.by_id or held or state.tasks.dependencies.watched:
                self.complain(f"6: placement of {name} still holds {list(state.tasks.by_id)}, on {held}")
