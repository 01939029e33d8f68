"""A world in one thread: a version-guarded store, nodes that run tasks, control processes that place them.

All chance comes from one seeded generator, so a history that breaks a rule can be played again.
"""

from collections.abc import Mapping
from random import Random

from clawactors.kernel.errors import Refused
from clawactors.systems.nodes import NODE, Node
from clawactors.systems.nodes import commands as nc
from clawactors.systems.nodes import events as n
from clawactors.systems.placement import ClusterState, Placement, PlannedCommand
from clawactors.systems.placement.policy import OrderName, QueuePolicy
from clawactors.systems.tasks import FINAL, OPEN, TASK, Status, Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.retry import Retry, after_failure
from tests.clawactors.systems.placement.clockwork import Clockwork

__all__ = ["Control", "Process", "Store", "World"]

TICK_NS = 50_000_000
SKILLS = ("echo", "sing")


class Store:
    """The log: every commit, the version and the state of every aggregate."""

    def __init__(self) -> None:
        self.commits: list[tuple[str, str, tuple[e.TaskEvent, ...] | tuple[n.NodeEvent, ...], int]] = []
        self.tasks: dict[str, Task] = {}
        self.nodes: dict[str, Node] = {}
        self.versions: dict[tuple[str, str], int] = {}
        self.now_ns = TICK_NS

    def _append(self, kind: str, id: str, events: tuple[e.TaskEvent, ...] | tuple[n.NodeEvent, ...]) -> None:
        self.now_ns += 1
        self.commits.append((kind, id, events, self.now_ns))
        self.versions[kind, id] = len(self.commits)

    def append_task(self, id: str, events: tuple[e.TaskEvent, ...]) -> None:
        """Stores a commit, legal or not."""
        self._append("task", id, events)
        for event in events:
            self.tasks[id] = TASK.evolve(self.tasks.get(id, Task()), event, self.now_ns)

    def task(self, id: str, *commands: c.TaskCommand) -> bool:
        """Decides on the newest state and appends; False where that is refused."""
        events: tuple[e.TaskEvent, ...] = ()
        state = self.tasks.get(id, Task())
        try:
            for command in commands:
                for event in TASK.decide(command, state):
                    state = TASK.evolve(state, event, self.now_ns)
                    events += (event,)
        except Refused:
            return False
        if events:
            self.append_task(id, events)
        return True

    def node(self, id: str, command: nc.NodeCommand) -> None:
        """Decides on the newest state and appends."""
        state = self.nodes.get(id, Node())
        events = NODE.decide(command, state)
        if events:
            self._append("node", id, events)
            for event in events:
                state = NODE.evolve(state, event, self.now_ns)
            self.nodes[id] = state


def a_policy(chance: Random) -> QueuePolicy:
    """Any order of the queue."""
    order: OrderName = chance.choice(("fifo", "priority", "deadline"))
    patience_ns, weights = chance.choice((0, 1, 5 * TICK_NS)), chance.choice(({}, {"ada": 3.0}))
    return QueuePolicy(order, patience_ns, chance.random() < 0.5, weights)


class Process:
    """A node process, one incarnation of one id; it hears of everything late."""

    def __init__(
        self, store: Store, chance: Random, id: str, incarnation: str, slots: int, limits: Mapping[str, int]
    ) -> None:
        self.store, self.chance, self.id, self.incarnation, self.slots = store, chance, id, incarnation, slots
        self.position = len(store.commits)
        self.hangs = self.over = False
        self.queue: list[tuple[str, e.Fence]] = []
        self.runs: dict[str, e.Fence] = {}
        offers = tuple(n.Offer(skill, concurrency=limits.get(skill)) for skill in SKILLS)
        store.node(id, nc.JoinNode(n.NodeJoined(incarnation=incarnation, slots=slots, offers=offers)))

    def hear(self, limit: int) -> None:
        """Reads on in the log."""
        for kind, id, events, _ in self.store.commits[self.position : self.position + limit]:
            self.position += 1
            for event in events:
                if kind == "node" and id == self.id:
                    self._hear_of_itself(event)
                elif isinstance(event, e.Scheduled) and event.incarnation == self.incarnation:
                    self.queue.append((id, e.Fence(event.node, event.incarnation, event.attempt)))

    def _hear_of_itself(self, event: object) -> None:
        if isinstance(event, n.NodeJoined) and event.incarnation != self.incarnation:
            self.over = True
        elif isinstance(event, n.NodeLost) and event.incarnation == self.incarnation:
            self.queue.clear()
            self.runs.clear()
            self.store.node(self.id, nc.ReturnNode(self.incarnation))
        elif isinstance(event, n.NodeConfigured) and event.slots is not None:
            self.slots = event.slots

    def work(self, calm: bool) -> None:
        """Starts what it may and lets each run say one thing more."""
        while self.queue and len(self.runs) < self.slots:
            id, fence = self.queue.pop(0)
            if self.store.task(id, c.StartTask(fence)):
                self.runs[id] = fence
        for id, fence in list(self.runs.items()):
            if self._says(id, fence, calm):
                del self.runs[id]

    def _says(self, id: str, fence: e.Fence, calm: bool) -> bool:
        """True when that run is over."""
        life = self.store.tasks[id].life
        if life.cancel_requested and self.chance.random() < 0.7:
            self.store.task(id, c.ConfirmCancel(fence))
            return True
        said = self.chance.random()
        if said < (0.7 if calm else 0.3):
            self.store.task(id, c.Complete(fence, "sung"))
            return True
        if said < 0.8:
            return not self.store.task(id, c.CompleteStep(fence, f"s{len(self.store.tasks[id].journal)}", 1))
        if said < 0.9:
            error = e.TaskError("network", "no route")
            policy = Retry(wait_s=0.2)
            verdict = after_failure(policy, "here", life.failures, None, self.store.now_ns, self.chance.random())
            self.store.task(id, c.Fail(fence, error, verdict.then, verdict.retry_at_ns))
            return True
        if said < 0.95:
            self.store.task(id, c.Wait(fence, "timer", self.store.now_ns + 3 * TICK_NS))
            return True
        return False


class View:
    """What a view knew at the end of some commits."""

    def __init__(self, store: Store, position: int) -> None:
        self.position = position
        self._tasks: dict[str, tuple[int, Task]] = {}
        self._nodes: dict[str, tuple[int, Node]] = {}
        for seq, (kind, id, events, at_ns) in enumerate(store.commits[:position], 1):
            if kind == "task":
                _, task = self._tasks.get(id, (0, Task()))
                for event in events:
                    task = TASK.evolve(task, event, at_ns)  # type: ignore[arg-type]
                self._tasks[id] = seq, task
            else:
                _, node = self._nodes.get(id, (0, Node()))
                for event in events:
                    node = NODE.evolve(node, event, at_ns)  # type: ignore[arg-type]
                self._nodes[id] = seq, node

    def open_tasks(self) -> list[tuple[str, int, Task]]:
        return [(id, seq, task) for id, (seq, task) in self._tasks.items() if task.life.status in OPEN]

    def ended(self) -> list[tuple[str, Status]]:
        return [(id, task.life.status) for id, (_, task) in self._tasks.items() if task.life.status in FINAL]

    def nodes(self) -> list[tuple[str, int, Node]]:
        return [(id, seq, node) for id, (seq, node) in self._nodes.items() if node.status not in ("absent", "removed")]

    def frozen(self) -> list[tuple[str, str]]:
        return []


class Control:
    """A control process that believes to lead: it proposes, and its appends arrive whenever they do."""

    def __init__(self, store: Store, chance: Random) -> None:
        self.store, self.chance = store, chance
        self.placement = Placement(ClusterState())
        self.clockwork = Clockwork(self.placement)
        if chance.random() < 0.7:
            self.placement.state.load(View(store, chance.randint(0, len(store.commits))))
        self.position = self.placement.state.position
        self.in_flight: list[PlannedCommand] = []
        self.reading: list[str] = []

    def fold(self, limit: int) -> None:
        """Reads on in the log."""
        for kind, id, events, at_ns in self.store.commits[self.position : self.position + limit]:
            self.position += 1
            if kind == "node":
                self.placement.state.apply_node(id, self.position, events, at_ns)  # type: ignore[arg-type]
            elif not events:
                self.placement.state.apply_nothing("task", id, self.position)
            elif not self.placement.state.apply_task(id, self.position, events, at_ns):  # type: ignore[arg-type]
                self.reading.append(id)

    def read(self) -> None:
        """Takes in one of the tasks that go on though they were forgotten."""
        if self.reading:
            id = self.reading[0]
            if self.placement.state.adopt(id, self.store.versions["task", id], self.store.tasks[id]):
                del self.reading[0]

    def catch_up(self) -> None:
        """Reads all there is."""
        self.fold(len(self.store.commits))
        while self.reading:
            self.read()

    def propose(self) -> None:
        """Asks placement what to do, and checks that no node gets more than its room."""
        self.clockwork.until(self.store.now_ns)
        orders = self.placement.orders(self.store.now_ns, self.chance.choice((1, 3, 1000)))
        for order in orders:
            if isinstance(order.command, c.ScheduleTask):
                node = self.placement.state.nodes.by_id[order.to]
                assert order.id in node.assigned
                assert node.room(self.store.now_ns) >= 0, f"{order.to} got more than its room"
        self.in_flight += orders

    def deliver(self, luck: float) -> None:
        """One append arrives, or not, or only its answer does not."""
        if not self.in_flight:
            return
        order = self.in_flight.pop(self.chance.randrange(len(self.in_flight)))
        lost_before, lost_after = luck < 0.1, luck > 0.9
        if not lost_before:
            carry_out(self.store, order)  # a lost race needs no withdrawal: what won it comes with the log
        is_known = self.store.versions["task", order.id] != order.version and self.placement.is_limited(order)
        if (lost_before or lost_after) and not is_known:
            self.placement.withdraw(order)


def carry_out(store: Store, order: PlannedCommand) -> None:
    """The guarded append: it is stored only on the version that the order was decided on."""
    if store.versions["task", order.id] != order.version:
        return
    state = store.tasks[order.id]
    assert state.life == order.task.life, "decided on something else"
    events = TASK.decide(order.command, order.task)
    for event in events:
        before, state = state, TASK.evolve(state, event, store.now_ns)
        assert state is not before, f"{event} is illegal in {before.life}"
    store.append_task(order.id, events)


class World:
    """Everything together. `step` lets something happen, `settle` lets all come to an end."""

    def __init__(self, seed: int, limits: Mapping[str, int] | None = None) -> None:
        self.chance, self.limits = Random(seed), limits or {}
        self.store = Store()
        self.controls = [Control(self.store, self.chance) for _ in range(2)]
        self.processes: list[Process] = []
        self.dead: list[Process] = []
        self._made = 0

    def _name(self, prefix: str) -> str:
        self._made += 1
        return f"{prefix}{self._made}"

    def start_node(self, id: str) -> None:
        """A new incarnation; an older one of that id is superseded."""
        slots = self.chance.randint(1, 3)
        self.processes.append(Process(self.store, self.chance, id, self._name("i"), slots, self.limits))

    def step(self) -> None:
        """One thing happens."""
        chance, store = self.chance, self.store
        store.now_ns += chance.choice((1, TICK_NS // 10, TICK_NS))
        match chance.randrange(16):
            case 0 | 1:
                spec = e.Spec(
                    skill=chance.choice(SKILLS),
                    priority=chance.randint(1, 4),
                    not_before_ns=chance.choice((0, 0, store.now_ns + 2 * TICK_NS)),
                    max_retries=2,
                    user=chance.choice(("", "ada", "ben")),
                    deadline_ns=chance.choice((0, 0, store.now_ns + 10**12)),
                )
                store.task(self._name("t"), c.Submit(spec))
            case 2:
                self._somebody_commands()
            case 3:
                self._a_node_suffers()
            case 4 | 5 | 6:
                control = chance.choice(self.controls)
                control.fold(chance.randint(1, 20))
                control.read()
                if chance.random() < 0.05:
                    control.placement.state.tasks.follow(a_policy(chance))
            case 7 | 8:
                self.leader().propose()
            case 9 | 10 | 11:
                chance.choice(self.controls).deliver(chance.random())
            case 12:
                if chance.random() < 0.1:
                    self._a_control_dies()
            case _:
                for process in self.processes:
                    if not process.hangs and chance.random() < 0.6:
                        process.hear(chance.randint(0, 10))
                        process.work(calm=False)
                self._bury()

    def leader(self) -> Control:
        """Who believes to lead: anybody."""
        return self.chance.choice(self.controls)

    def _somebody_commands(self) -> None:
        if not self.store.tasks:
            return
        id = self.chance.choice(list(self.store.tasks))
        command = self.chance.choice(
            (c.Cancel(), c.Pause(), c.Resume(), c.Block("look"), c.Unblock(), c.RetryTask(), c.Signal("go"), None, None)
        )
        if command is not None:
            self.store.task(id, command)
        elif self.chance.random() < 0.5:
            self.store.append_task(id, ())  # malformed
        else:
            by_hand = (
                e.Completed("by hand"),
                e.Started(),
                e.Scheduled(node="n1", incarnation="i", attempt=99, skill="x"),
            )
            event = self.chance.choice(by_hand)
            if TASK.evolve(self.store.tasks[id], event, 0) is self.store.tasks[id]:
                self.store.append_task(id, (event,))  # well-formed, but illegal

    def _a_node_suffers(self) -> None:
        chance = self.chance
        if len(self.processes) < 2 or chance.random() < 0.2:
            self.start_node(f"n{chance.randint(1, 3)}")
            return
        process = chance.choice(self.processes)
        match chance.randrange(7):
            case 0:  # kill -9
                self.processes.remove(process)
                self.dead.append(process)
            case 1:
                process.hangs = True
            case 2:
                process.hangs = False
            case 3:
                self.store.node(process.id, nc.LoseNode(process.incarnation, "no heartbeat"))
            case 4 if self.store.nodes[process.id].alive:
                self.store.node(process.id, chance.choice((nc.DrainNode(), nc.CordonNode(), nc.UncordonNode())))
            case 5:
                self.store.node(process.id, nc.ConfigureNode(slots=chance.randint(0, 3)))
            case 6 if self.dead:
                gone = self.dead.pop()
                self.store.node(gone.id, nc.LoseNode(gone.incarnation, "its connection is gone"))
            case _:
                pass

    def _a_control_dies(self) -> None:
        dying = self.controls.pop(self.chance.randrange(len(self.controls)))
        for order in dying.in_flight:
            if self.chance.random() < 0.5:
                carry_out(self.store, order)  # sent before it died
        self.controls.append(Control(self.store, self.chance))

    def _bury(self) -> None:
        self.processes = [process for process in self.processes if not process.over]

    def settle(self) -> None:
        """No more trouble: what hangs goes on, what is dead is found so, people let go of what they hold."""
        store = self.store
        for process in self.dead:
            store.node(process.id, nc.LoseNode(process.incarnation, "no heartbeat"))
        self.start_node("n9")
        if self.chance.random() < 0.5:  # all that was in memory is gone
            self.controls = [Control(store, self.chance)]
        for process in self.processes:
            process.hangs = False
        for _ in range(400):
            store.now_ns += TICK_NS
            for process in self.processes:
                process.hear(1000)
            self._bury()
            for process in self.processes:
                process.work(calm=True)
                if not store.nodes[process.id].takes_work and store.nodes[process.id].alive:
                    store.node(process.id, nc.UncordonNode())
                store.node(process.id, nc.ConfigureNode(slots=2))
            for id, task in list(store.tasks.items()):
                if task.life.status in ("paused", "blocked"):
                    store.task(id, c.Resume(), c.Unblock())
            for control in self.controls:
                control.catch_up()
                control.propose()
                while control.in_flight:
                    control.deliver(0.5)
            if all(TASK.is_final(task) for task in store.tasks.values()):
                break
        for control in self.controls:
            control.catch_up()
