"""What the views must say, worked out the slow way: one fold an aggregate, lists by filtering all of them."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from clawactors.eventlog import Record, is_id
from clawactors.kernel.fold import Snapshot, fold
from clawactors.projections.views.tasks.selection import TaskFilter
from clawactors.systems.nodes import Node
from clawactors.systems.nodes.kind import NODES
from clawactors.systems.tasks import Task
from clawactors.systems.tasks.kind import TASKS


class Known(msgspec.Struct):
    id: str
    seq: int
    folded: Snapshot[Task]

    @property
    def task(self) -> Task:
        return self.folded.state


class Model:
    def __init__(self, records: Iterable[Record]) -> None:
        tasks: dict[str, Snapshot[Task]] = {}
        nodes: dict[str, Snapshot[Node]] = {}
        born: dict[str, int] = {}
        for record in records:
            parts = record.subject.split(".")
            if len(parts) < 4 or not is_id(parts[2]):
                continue
            id = parts[2]
            if parts[1] == "task":
                before = tasks.get(id, Snapshot(Task()))
                tasks[id] = fold(TASKS, before, record)
                if tasks[id].state.exists and not before.state.exists:
                    born[id] = record.seq
            else:
                nodes[id] = fold(NODES, nodes.get(id, Snapshot(Node())), record)
        self.tasks = sorted((Known(id, seq, tasks[id]) for id, seq in born.items()), key=lambda known: -known.seq)
        self.nodes = {id: folded for id, folded in sorted(nodes.items()) if folded.state != Node()}
        self.frozen = {id for id, folded in tasks.items() if folded.frozen}

    def select(self, wanted: TaskFilter) -> list[str]:
        listed = (known for known in self.tasks if known.task.life.archived is None)
        return [known.id for known in listed if wanted.fits(known.task)]

    def counts(self) -> Counter[str]:
        return Counter(known.task.life.status for known in self.tasks)

    def counts_by(self, name: str) -> dict[str, Counter[str]]:
        """Of each node, user, skill, tag, class of errors or hour, the tasks by status."""
        found: dict[str, Counter[str]] = {}
        for known in self.tasks:
            life, spec = known.task.life, known.task.spec
            assert spec is not None
            error = life.error.kind if life.error else ""
            hour = str(life.submitted_ns // 3_600_000_000_000)
            columns = {"node": life.node, "user": spec.user, "skill": spec.skill, "error": error, "hour": hour}
            values = set(spec.tags) if name == "tag" else {columns[name]}
            for value in filter(None, values):
                found.setdefault(value, Counter())[life.status] += 1
        return found

    def pending(self) -> list[str]:
        waiting = [known for known in self.tasks if known.task.life.status == "pending"]
        return [known.id for known in sorted(waiting, key=lambda known: (-_priority(known.task), known.seq))]

    def running_on(self, node: str) -> int:
        return sum(known.task.life.status == "running" and known.task.life.node == node for known in self.tasks)


def _priority(task: Task) -> int:
    assert task.spec is not None
    return task.spec.priority
