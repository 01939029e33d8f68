"""The open tasks, each in the places where it belongs: queues, timers, dependencies, limits, orphans.

1. An ended task is let go of; when it goes on, it is read again.
2. A task goes on, or ends, by a timer only when its present version wants it and the time of the log has come to it.
3. What a task waits for is looked at again when that is there, goes on or ends; a task without predecessors, and whom
   nobody waits for, costs nothing for it.
"""

from collections.abc import Callable, Iterable, Iterator

from clawactors.systems.placement.choice import TaskShape, shape_of
from clawactors.systems.placement.dependencies import Dependencies
from clawactors.systems.placement.families import Families
from clawactors.systems.placement.limits import Limits, announced
from clawactors.systems.placement.nodes import ClusterNodes
from clawactors.systems.placement.order import TrackedTask
from clawactors.systems.placement.policy import QueuePolicy
from clawactors.systems.placement.queues import PendingQueues
from clawactors.systems.placement.silence import Silence
from clawactors.systems.tasks import TASK, Status, Task, TaskStatus
from clawactors.systems.tasks import timers as t
from clawactors.systems.tasks.children import CHILDREN
from clawactors.systems.tasks.events import Spec
from clawactors.systems.timers import Agenda

__all__ = ["OpenTasks"]


def _shape_of(spec: Spec, life: TaskStatus) -> TaskShape:
    return shape_of(spec, life.avoid, life.node if life.parked and life.status == "pending" else "")


def _ignore(_id: str, _version: int, _life: TaskStatus) -> None:
    pass


class OpenTasks:
    """All open tasks by id. `agenda` is where their timers are kept, among others.

    `awaited` had ended and go on, with the version to read; of those in `frozen` nothing is decided here.
    `forks` wait for steps which somebody is copying, or has ceased to. `on_ended` is called for each task that ends,
    `on_blocked` for each that becomes blocked.
    """

    def __init__(self, nodes: ClusterNodes, agenda: Agenda, silence: Silence) -> None:
        self.by_id: dict[str, TrackedTask] = {}
        self.frozen: set[str] = set()
        self.awaited: dict[str, int] = {}
        self.queues = PendingQueues()
        self.pending = self.queues.by_shape
        self.due: dict[str, None] = {}
        self.resolved: dict[str, None] = {}
        self.orphans: dict[str, None] = {}
        self.forks: dict[str, None] = {}
        self.dependencies = Dependencies()
        self.families = Families(self._run_of)
        self.limits = Limits()
        self.on_ended: Callable[[str, int, TaskStatus], None] = _ignore
        self.on_blocked: Callable[[str, int, TaskStatus], None] = _ignore
        self._nodes, self._agenda, self._silence = nodes, agenda, silence
        self._watched, self._limited = self.dependencies.watched, self.limits.by_skill

    def _run_of(self, id: str) -> int:
        held = self.by_id.get(id)
        return 0 if held is None else held.task.life.run

    def hold(self, id: str, version: int, task: Task) -> None:
        """Takes over the task's new state; a task that has ended is let go of."""
        held = self.by_id.get(id)
        if self._nodes.reserved:
            self._nodes.release(id)
        if held is None:
            if task.spec is None or TASK.is_final(task):
                if task.spec is not None:
                    self._end(id, version, task, task.spec)
                self.ended_for_others(id, task.life.status)
                return
            held = self.by_id[id] = TrackedTask(version, task, _shape_of(task.spec, task.life))
            if task.spec.parent or id in self.families.children:
                self.families.opened(id, task.spec)
            if self._watched and id in self._watched:
                self.enter_all(self.dependencies.opened(id))
        else:
            stays = held.stays(task)
            edited = held.task.spec is not task.spec
            life, shape = task.life, held.shape
            moved = shape.avoid != life.avoid or life.parked or shape.only
            if task.spec is not None and (edited or moved):  # it may fit elsewhere now
                self.queues.discard(id, held)
                held.shape = _shape_of(task.spec, life)
            held.version, held.task, held.ordered, held.to = version, task, False, ""
            if stays:
                return
        self.enter(id, held)
        if task.life.status == "blocked":
            self.on_blocked(id, version, task.life)
        if TASK.is_final(task):
            del self.by_id[id]
            if task.spec is not None:
                self._end(id, version, task, task.spec)
            if self._watched:
                self.ended_for_others(id, task.life.status)

    def _end(self, id: str, version: int, task: Task, spec: Spec) -> None:
        self.on_ended(id, version, task.life)
        self.families.ended(id, spec, version, task.life)

    def enter(self, id: str, held: TrackedTask) -> None:
        """Brings all that is kept about tasks in line with what is known of this one."""
        life, idle, nodes = held.task.life, not held.ordered and id not in self.frozen, self._nodes
        rests = life.parked and held.rests
        orphan = (held.given or rests) and nodes.is_orphan(held.task)
        if rests or held.kept_at:
            nodes.park(id, held, life.node if rests else "")
        nodes.count(id, held, "" if orphan else life.node if held.given else held.to)
        if self._limited:
            self.limits.note(held.shape.skill, id, under_way=held.is_under_way)
        due, early = self._timed(id, held)
        if idle and life.status == "pending" and not (due or early):
            self.queues.put(id, held)
        elif held.queued_as is not None:
            self.queues.discard(id, held)
        if held.depends or life.waiting_for == "dependency":
            self._depend(id, held, idle)
        if life.waiting_name == CHILDREN or (life.waits and any(wait.name == CHILDREN for wait in life.waits)):
            self.families.waits(id)
        if life.waiting_for == "fork" and life.status == "waiting":
            self.forks[id] = None
        else:
            self.forks.pop(id, None)
        if idle and due:
            self.due[id] = None
        else:
            self.due.pop(id, None)
        if life.status == "running" and not orphan:
            self._silence.runs(id, life, nodes.timeout_of(held.task))
        else:
            self._silence.rests(id)
        if idle and orphan:
            self.orphans[id] = None
        else:
            self.orphans.pop(id, None)

    def enter_all(self, ids: Iterable[str]) -> None:
        """Looks again at those of them that are open."""
        for id in ids:
            if (held := self.by_id.get(id)) is not None:
                self.enter(id, held)

    def follow(self, policy: QueuePolicy) -> None:
        """Pending tasks are placed in another order from now on."""
        if policy == self.queues.policy:
            return
        queued = [(id, held) for id, held in self.by_id.items() if held.queued_as is not None]
        self.queues.follow(policy)
        for id, held in queued:
            self.queues.put(id, held)

    def announce_limits(self) -> None:
        """The nodes have changed, and so may have what they say of their skills."""
        offered = announced(capacity.node for capacity in self._nodes.by_id.values())
        self.limits.announce(offered, self._under_way)

    def _under_way(self, skill: str) -> Iterator[str]:
        return (id for id, held in self.by_id.items() if held.shape.skill == skill and held.is_under_way)

    def _timed(self, id: str, held: TrackedTask) -> tuple[bool, bool]:
        """Enters the timers that the task wants: is something due, and is a pending one before its start?"""
        agenda, (deadline_ns, wait_ns) = self._agenda, t.open_timers(held.task)
        before, held.timed = held.timed, deadline_ns is not None or wait_ns is not None
        if not (before or held.timed):
            return False, False
        agenda.want(t.DEADLINE, id, deadline_ns, held.version)
        agenda.want(t.WAIT, id, wait_ns, held.version)
        over, waited = agenda.is_due(t.DEADLINE, id), agenda.is_due(t.WAIT, id)
        is_pending = held.task.life.status == "pending"
        return over or (waited and not is_pending), is_pending and wait_ns is not None and not waited

    def _depend(self, id: str, held: TrackedTask, idle: bool) -> None:
        """Enters the predecessors that the task waits for, and whether something follows from what became of them."""
        spec, dependencies = held.task.spec, self.dependencies
        held.depends = spec is not None and held.task.life.waiting_for == "dependency"
        if held.depends and spec is not None:
            dependencies.wait(id, spec.after, self._is_open)
        else:
            dependencies.forget(id)
        if idle and dependencies.follows(id, held.task) is not None:
            self.resolved[id] = None
        else:
            self.resolved.pop(id, None)

    def _is_open(self, id: str) -> bool:
        return id in self.by_id or id in self.awaited

    def ended_for_others(self, id: str, status: Status) -> None:
        """Tells those that wait for the task how it has ended."""
        if id in self._watched:
            self.enter_all(self.dependencies.ended(id, status))

    def is_open(self, id: str) -> bool:
        """True for a task that has not ended, is not blocked, and that this release can go on with."""
        held = self.by_id.get(id)
        return held is not None and held.task.life.status != "blocked" and id not in self.frozen
