"""Histories for tests of views: made by the deciders, as actors make them, with what strangers put between."""

import random
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from clawactors.eventlog import Record, subject_of
from clawactors.kernel.errors import Refused
from clawactors.systems.nodes import NODE, Node
from clawactors.systems.nodes import commands as nc
from clawactors.systems.nodes import events as ne
from clawactors.systems.schedules import SCHEDULE, Schedule
from clawactors.systems.schedules import commands as sc
from clawactors.systems.schedules import events as se
from clawactors.systems.schedules.planning import plan_of
from clawactors.systems.tasks import TASK, Task
from clawactors.systems.tasks import commands as tc
from clawactors.systems.tasks import events as te
from clawactors.systems.tasks.approvalevents import Approval
from clawactors.systems.tasks.children import ChildEnd
from clawactors.systems.tasks.stepevents import Undo

NAMES = (
    "",
    "Import orders of ACME",
    "导入订单失败",
    "import_orders v2",
    "ImportError: 订单 kaputt",
    "",
    "Größe ÄNDERN",
)
AT = 1_763_720_000_000_000_000
SCHEDULES = ("nightly", "hourly")
SKILLS, USERS, TAGS, NODES = ("echo", "sleep", "shell"), ("ada", "bob", ""), ("x", "y", "z"), ("n1", "n2", "n3")
FUTURE = b'{"v":1,"events":[{"type":"task.levitated"}]}'
GARBAGE = (b"", b"{", b"[]", b'{"v":1,"events":[]}', b'{"v":1,"events":[{"type":"task.started","x"', b"\xff\xfe")


class History:
    """A log in a list; time goes on by itself and now and then steps back. Every third commit answers two commands."""

    def __init__(self, seed: int = 0, steps_back: bool = False) -> None:
        self.records: list[Record] = []
        self.random = random.Random(seed)
        self.tasks: dict[str, Task] = {}
        self.nodes: dict[str, Node] = {}
        self.schedules: dict[str, Schedule] = {}
        self.steps_back = steps_back
        self._at_ns = AT

    def wait(self, seconds: int) -> None:
        """Lets so much time pass."""
        self._at_ns += seconds * 10**9

    def publish(self, subject: str, body: bytes) -> int:
        self._at_ns += self.random.randrange(1, 3_000_000_000)
        if self.steps_back and self.random.random() < 0.05:
            self._at_ns -= self.random.randrange(30_000_000_000)
        seq = len(self.records) + 1
        headers = f"NATS/1.0\r\nClaw-Answers: c{seq} d{seq}\r\n".encode() if seq % 3 == 0 else b""
        self.records.append(Record(seq, self._at_ns, subject, body, headers))
        return len(self.records)

    def task(self, id: str, *events: te.TaskEvent, to: str = "", writer: str = "") -> int:
        """Stores a commit of a task, legal or not; the writer must be one that is believed."""
        seq = self.publish(subject_of("task", id, to, writer), te.CODEC.encode(events))
        task = self.tasks.get(id, Task())
        for event in events:
            task = TASK.evolve(task, event, self.records[-1].at_ns)
        self.tasks[id] = task
        return seq

    def node(self, id: str, *events: ne.NodeEvent) -> int:
        """Stores a commit of a node, legal or not."""
        seq = self.publish(subject_of("node", id), ne.CODEC.encode(events))
        node = self.nodes.get(id, Node())
        for event in events:
            node = NODE.evolve(node, event, self.records[-1].at_ns)
        self.nodes[id] = node
        return seq

    def schedule(self, name: str, *events: se.ScheduleEvent) -> int:
        """Stores a commit of a schedule, legal or not."""
        seq = self.publish(subject_of("schedule", name), se.CODEC.encode(events))
        schedule = self.schedules.get(name, Schedule())
        for event in events:
            schedule = SCHEDULE.evolve(schedule, event, self.records[-1].at_ns)
        self.schedules[name] = schedule
        return seq

    def command(self, id: str, *commands: tc.TaskCommand, to: str = "", writer: str = "") -> bool:
        """Stores what the commands lead to in one commit; False where they are refused or say nothing."""
        task, events = self.tasks.get(id, Task()), []
        try:
            for command in commands:
                decided = TASK.decide(command, task)
                for event in decided:
                    task = TASK.evolve(task, event, self._at_ns)
                events += decided
        except Refused:
            return False
        if events:
            self.task(id, *events, to=to, writer=writer)
        return bool(events)


def joined(incarnation: str = "i1", slots: int = 2, skills: tuple[str, ...] = SKILLS) -> ne.NodeJoined:
    return ne.NodeJoined(incarnation=incarnation, slots=slots, offers=tuple(ne.Offer(name) for name in skills))


def run(history: History, id: str, steps: int = 0, node: str = "n1", result: Any = None) -> None:
    """A task from submitted to completed in three commits."""
    history.command(id, tc.Submit(te.Spec(skill="echo", params={"text": "hi"}, user="ada")))
    history.command(id, tc.ScheduleTask(node, "i1"), to=node)
    fence = history.tasks[id].fence
    done = [tc.CompleteStep(fence, f"step-{n}", {"n": n}, 0.25) for n in range(steps)]
    history.command(id, tc.StartTask(fence), *done, tc.Complete(fence, result))


def random_history(seed: int, length: int, *, strangers: bool = True) -> History:
    """So many attempts at something, by people, placement, nodes and strangers."""
    history = History(seed, steps_back=True)
    r = history.random
    for name in NODES[:2]:
        history.node(name, joined())
    for n in range(length):
        roll = r.random()
        if roll < 0.25:
            submit(history, f"t{n}")
        elif roll < 0.32:
            _of_node(history)
        elif roll < 0.36:
            _of_schedule(history)
        elif strangers and roll < 0.44:
            _of_stranger(history)
        elif history.tasks:
            _of_task(history, r.choice(list(history.tasks)))
    return history


def submit(history: History, id: str) -> None:
    r = history.random
    spec = te.Spec(
        skill=r.choice(SKILLS),
        name=NAMES[len(history.records) % len(NAMES)],
        params={"n": r.randrange(5)},
        user=r.choice(USERS),
        priority=r.choice((1, 2, 2, 3, 4)),
        tags=tuple(r.sample(TAGS, r.randrange(3))),
        after=("t0",) if r.random() < 0.1 else (),
    )
    if r.random() < 0.05:
        spec = te.Spec(skill=spec.skill, fork_of="t0", fork_step="s1")
    history.command(id, tc.Submit(spec))


def _of_node(history: History) -> None:
    r = history.random
    id = r.choice(NODES)
    node = history.nodes.get(id, Node())
    command = r.choice(
        (
            nc.JoinNode(joined(f"i{r.randrange(4)}", r.randrange(1, 4), tuple(r.sample(SKILLS, 2)))),
            nc.LeaveNode(node.incarnation),
            nc.LoseNode(node.incarnation, "silent"),
            nc.ReturnNode(node.incarnation),
            nc.DrainNode(held=True),
            nc.CordonNode(),
            nc.UncordonNode(),
            nc.ConfigureNode(slots=r.randrange(4)),
            nc.RemoveNode(),
        )
    )
    try:
        events = NODE.decide(command, node)
    except Refused:
        return
    if events:
        history.node(id, *events)


def _of_schedule(history: History) -> None:
    r = history.random
    name = r.choice(SCHEDULES)
    schedule, now_ns = history.schedules.get(name, Schedule()), history.records[-1].at_ns
    command = r.choice(
        (
            sc.AddSchedule(plan_of("0 * * * *", "echo", {"text": "hi"}), now_ns, "ada"),
            sc.FireSchedule(schedule.next_ns, now_ns),
            sc.FireSchedule(schedule.next_ns, schedule.next_ns),
            sc.PauseSchedule("ada"),
            sc.ResumeSchedule(now_ns),
            sc.RemoveSchedule() if r.random() < 0.5 else sc.ResumeSchedule(now_ns),
        )
    )
    try:
        events = SCHEDULE.decide(command, schedule)
    except Refused:
        return
    if events:
        history.schedule(name, *events)


def _of_stranger(history: History) -> None:
    """Bad bytes, illegal events, future events, subjects that name nothing."""
    r = history.random
    id = r.choice([*history.tasks, "stranger"])
    match r.randrange(9):
        case 6:
            history.schedule(r.choice(SCHEDULES), se.ScheduleFired(due_ns=1))
        case 0:
            history.publish(f"claw.task.{id}.log", r.choice(GARBAGE))
        case 1:
            history.publish(f"claw.node.{r.choice(NODES)}.log", r.choice(GARBAGE))
        case 2:
            history.task(id, r.choice((te.Started(), te.Completed(1), te.StepCompleted("s", 1), te.Readied())))
        case 3 if r.random() < 0.3:
            history.publish(f"claw.task.{id}.log", FUTURE)
        case 7:  # a node that the task is not with, and may be none at all
            body = r.choice((FUTURE, *GARBAGE, te.CODEC.encode((te.Completed("stolen"),))))
            history.publish(subject_of("task", id, writer=r.choice(("n8", "n9"))), body)
        case 8:
            history.publish(subject_of("schedule", r.choice(SCHEDULES), writer="n9"), FUTURE)
        case 4:
            history.publish(r.choice(("claw.task.log", "claw.task.a*b.log", f"claw.task.{'x' * 200}.log")), b"{}")
        case _:
            history.publish(f"claw.task.{id}.to.n1.far", te.CODEC.encode((te.Returned("odd"),)))


def _of_task(history: History, id: str) -> None:
    """Mostly what moves the task on, else whatever may happen to it, legal for its node or not."""
    r, task = history.random, history.tasks[id]
    fence, node = task.fence, r.choice(NODES)
    likely = r.random() < 0.7
    commands = [_next(r, task, fence, node)] if likely else r.sample(list(_commands(r, task, fence, node)), 6)
    for command in commands:
        to = node if isinstance(command, tc.ScheduleTask) else ""
        if history.command(id, command, to=to, writer=task.life.node if hasattr(command, "fence") else ""):
            return


def _next(r: random.Random, task: Task, fence: te.Fence, node: str) -> tc.TaskCommand:
    match task.life.status:
        case "pending" if task.life.parked:
            return tc.ScheduleTask(task.life.node, "i1")
        case "pending":
            return tc.ScheduleTask(node, "i1")
        case "scheduled":
            return tc.StartTask(fence)
        case "running" if task.life.undo is not None:
            return r.choice(list(_of_undo(r, fence)))
        case "running" if task.life.cancel_requested:
            return tc.ConfirmCancel(fence)
        case "running":
            return r.choice(list(_of_running(r, task, fence)))
        case "waiting" if task.life.waiting_for == "fork":
            return tc.Inherit((te.InheritedStep("s0", {"n": 1}, 0.5),), last=r.random() < 0.5)
        case "waiting" if task.life.parked:
            return r.choice((tc.Ready(), tc.Wake(fence), tc.Unpark(fence, "too many")))
        case "waiting":
            return tc.Ready()
        case "paused":
            return tc.Resume()
        case "blocked" if task.life.blocked_by_others:
            return r.choice((tc.Await(), tc.Ready()))
        case "blocked":
            return tc.Unblock()
        case _:
            moves = ("f-1", 1) if task.life.updated_ns // 1_000_000_000 % 3 == 0 else ()
            return r.choice((tc.RetryTask("ada"), tc.ArchiveTask(*moves)))


def _of_undo(r: random.Random, fence: te.Fence) -> Iterator[tc.TaskCommand]:
    for n in range(9):
        yield tc.Compensate(fence, f"s{n}")
        yield tc.FailUndo(fence, f"s{n}", "no", 0.1)
    yield tc.EndUndo(fence)


def _of_running(r: random.Random, task: Task, fence: te.Fence) -> Iterator[tc.TaskCommand]:
    for _ in range(6):
        value = r.choice((None, 1, {"a": [2**70, -0.5, "ü"]}))
        undo = r.choice((None, Undo(":undo", {"args": [1], "kwargs": {}}, auto=r.random() < 0.5)))
        yield tc.CompleteStep(fence, f"s{r.randrange(9)}", value, 0.1, r.choice((None, 0.5)), undo=undo)
    yield tc.StartStep(fence, f"s{r.randrange(9)}")
    yield tc.FailStep(fence, f"s{r.randrange(9)}", "no", 0.1)
    yield tc.Compensate(fence, f"s{r.randrange(9)}")
    yield tc.Wait(fence, "signal", 0, "go")
    waits = ((te.DurableWait("signal", name="go"), 0), (te.DurableWait("timer", task.life.updated_ns + 1), 0))
    yield tc.Park(fence, waits, limited=r.random() < 0.5)
    yield tc.AskApproval(fence, Approval(name="sure", question="?"))
    yield tc.NoteRecalled(fence, (f"m-{r.randrange(9)}",))
    yield tc.AnswerApproval("sure", approved=r.random() < 0.5, fence=fence)
    yield tc.WithdrawApproval(fence, "sure")
    yield tc.BeginUndo(fence, te.TaskError("unknown", "boom"))
    yield tc.Complete(fence, "done")
    yield tc.Fail(fence, te.TaskError("unknown", "boom"), r.choice(("retry", "dead", "failed")), task.life.updated_ns)


def _commands(r: random.Random, task: Task, fence: te.Fence, node: str) -> Iterator[tc.TaskCommand]:
    yield from _of_running(r, task, fence)
    yield tc.ContinueRun(fence, {"run": task.life.run}, {"go": 1})
    yield tc.ScheduleTask(node, "i1")
    yield tc.StartTask(fence)
    yield tc.Interrupt(fence, "gone")
    yield tc.Return(fence)
    yield tc.Ready()
    yield r.choice((tc.Pause("ada"), tc.Resume(), tc.Block("odd"), tc.Unblock()))
    yield tc.Block("t0 is dead", waits_for="dependency")
    yield r.choice((tc.Cancel("ada"), tc.ConfirmCancel(fence), tc.RetryTask("ada"), tc.ArchiveTask()))
    yield tc.Signal("go", {"n": r.randrange(9)})
    yield tc.AnswerApproval("sure", approved=r.random() < 0.5, by="ada")
    yield tc.Cancel("ada", undo=True)
    yield tc.NoteFork(f"t{r.randrange(9)}", "s1")
    yield tc.NoteChildren((ChildEnd(f"c-{r.randrange(9)}", r.randrange(3), "completed"),))
    if task.spec is not None:
        yield tc.Edit(
            replace(task.spec, priority=r.choice((1, 4)), tags=tuple(r.sample(TAGS, 1)), user=r.choice(USERS))
        )
    if r.random() < 0.2:
        yield r.choice((tc.Delete("ada"), tc.Expire(te.TaskError("timeout", "its deadline has passed"))))
