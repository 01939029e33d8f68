"""One walk over a log, in order, that finds every promise broken; what skills did beside the log is held against it.

1. An acknowledged submit is in the log.
2. A step is completed once in the life of a task, runs once in an attempt, and not at all in one that began after it
   was completed.
3. A node's process speaks for its own incarnation and attempt only, and only while the task is theirs.
4. At no event does a node have more tasks running than slots, nor do its skills ever count more at work.
5. Every event that our own processes wrote is legal where it stands.
6. In the end no task is left open.
7. A task that comes after others goes on when they have completed, and not before.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from clawactors.eventlog import EventLog, Record
from clawactors.kinds import DECODER
from clawactors.systems.nodes import NODE, Node
from clawactors.systems.nodes import events as ne
from clawactors.systems.tasks import TASK, Task
from clawactors.systems.tasks import events as te

PATTERNS = ("claw.task.>", "claw.node.>")


class Audit:
    """Takes records by `take`; `problems` says what is wrong with them, each with its place in the log."""

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self.nodes: dict[str, Node] = {}
        self.faults: list[int] = []
        """Sequences of what is no commit, or is one of the future."""
        self.by_hand: list[int] = []
        """Sequences of what nobody guarded."""
        self.problems: list[str] = []
        self._incarnation: dict[str, str] = {}
        self._slots: dict[str, int] = {}
        self._running: dict[tuple[str, str], set[str]] = {}
        self._done: dict[str, set[str]] = {}
        self._ended: set[str] = set()
        self._completed: set[str] = set()
        """Ever: what has ended may be retried or deleted while others are told of its end."""
        self._done_before: dict[tuple[str, int], frozenset[str]] = {}

    def take(self, record: Record) -> None:
        """Folds one record."""
        commit = DECODER.decode(record)
        if record.expected < 0:
            self.by_hand.append(record.seq)
        if commit.fault:
            self.faults.append(record.seq)
        elif commit.kind == "node":
            self._take_node(commit.id, record, commit.events)
        elif commit.kind == "task":
            for event in commit.events:
                self._take_task(commit.id, record, event)

    def _take_node(self, id: str, record: Record, events: Iterable[ne.NodeEvent]) -> None:
        node = self.nodes.get(id, Node())
        for event in events:
            after = NODE.evolve(node, event, record.at_ns)
            if after is node and record.expected >= 0:
                self._problem(record, f"node {id}: {type(event).__name__} is illegal")
            if isinstance(event, ne.NodeJoined) and record.by == f"node/{id}":
                self._incarnation[_process(record)] = event.incarnation
            node = after
        self.nodes[id] = node
        self._slots[node.incarnation] = node.joined.slots

    def _take_task(self, id: str, record: Record, event: te.TaskEvent) -> None:
        before = self.tasks.get(id, Task())
        after = TASK.evolve(before, event, record.at_ns)
        name = f"task {id}: {type(event).__name__}"
        if after is before:
            if record.expected >= 0:
                self._problem(record, f"{name} is illegal, it is {before.life.status}")
            return
        self.tasks[id] = after
        if TASK.is_final(after):
            self._ended.add(id)
        if after.life.status == "completed":
            self._completed.add(id)
        role, _, who = record.by.partition("/")
        if role == "node" and (before.life.node, before.life.incarnation) != (
            who,
            self._incarnation.get(_process(record)),
        ):
            self._problem(record, f"{name} by {record.by}, but it is with {before.life.node or 'nobody'}")
        if isinstance(event, te.Readied) and before.life.waiting_for == "dependency" and before.spec is not None:
            enough = self._ended if before.spec.on_dead == "run" else self._completed
            for each in before.spec.after:
                if each not in enough:
                    self._problem(record, f"{name}, but {each} is {self.tasks.get(each, Task()).life.status}")
        if isinstance(event, te.StepCompleted):
            self._take_step(id, record, event, before)
        if isinstance(event, te.Scheduled) and not event.wakes:
            self._done_before[id, after.life.tries] = frozenset(self._done.get(id, ()))
        if isinstance(event, te.Completed):
            self._check_result(record, name, event.result, before)
        self._count(id, record, before, after)

    def _take_step(self, id: str, record: Record, event: te.StepCompleted, before: Task) -> None:
        done = self._done.setdefault(id, set())
        if event.step in done:
            self._problem(record, f"task {id}: step {event.step} is completed again")
        done.add(event.step)
        self._check_result(record, f"task {id}: step {event.step}", event.result, before)

    def _check_result(self, record: Record, what: str, result: Any, before: Task) -> None:
        """Our skills say in their results which try they come from, and how many ran in their process."""
        said = result if isinstance(result, dict) else {}
        if said.get("attempt") not in (None, before.life.tries):
            self._problem(record, f"{what} has a result of try {said['attempt']}, not {before.life.tries}")
        if said.get("at_work", 0) > (slots := self._slots.get(before.life.incarnation, 0)):
            self._problem(record, f"{what} ran beside {said['at_work']} on node {before.life.node} of {slots} slots")

    def _count(self, id: str, record: Record, before: Task, after: Task) -> None:
        for task, change in ((before, set.discard), (after, set.add)):
            if task.life.status == "running":
                change(self._running.setdefault((task.life.node, task.life.incarnation), set()), id)
        if after.life.status == "running":
            place = after.life.node, after.life.incarnation
            if len(self._running[place]) > (slots := self._slots.get(after.life.incarnation, 0)):
                self._problem(record, f"node {place[0]} runs {len(self._running[place])} tasks in {slots} slots")

    def _problem(self, record: Record, text: str) -> None:
        self.problems.append(f"{record.seq}: {text}")

    def check_submits(self, ids: Iterable[str]) -> None:
        """Rule 1."""
        self.problems += [f"task {id} was acknowledged and is not in the log" for id in ids if id not in self.tasks]

    def check_ends(self, but: Iterable[str] = ()) -> None:
        """Rule 6."""
        left_out = set(but)
        for id, task in self.tasks.items():
            if not TASK.is_final(task) and id not in left_out:
                self.problems.append(f"task {id} is still {task.life.status}")

    def check_traces(self, trace: Path) -> int:
        """The half of rule 2 that no log shows; how many runs of steps there were."""
        lines = trace.read_text().splitlines() if trace.exists() else []
        for line, times in Counter(lines).items():
            id, step, attempt = line.split()
            if step in self._done_before.get((id, int(attempt)), ()):
                self.problems.append(f"task {id}: step {step} ran in attempt {attempt}, though it was done before")
            if times > 1:
                self.problems.append(f"task {id}: step {step} ran {times} times in attempt {attempt}")
        return len(lines)


async def read_all(log: EventLog) -> Audit:
    """The audit of a whole log."""
    audit = Audit()
    async for batch in log.read(PATTERNS):
        for record in batch:
            audit.take(record)
    return audit


def _process(record: Record) -> str:
    """Which process wrote it: the names of its commits begin alike."""
    return record.commit.rpartition("-")[0]
