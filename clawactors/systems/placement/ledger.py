"""What placement knows: all open tasks and all nodes, folded from the log, each task in the places where it belongs.

1. Applying is idempotent by version: what was seen already changes nothing.
2. A task counts at one node at most: where it was given to, or where an order is about to give it to.
3. What a later release has written to is left alone, and so are the tasks on a node that it has written to.
4. An ended task is let go of; when it goes on, it is read again.
5. A task goes on, or ends, by a timer only when its present version wants it and the log has shown its time.
6. What a task waits for is looked at again when that is there, goes on or ends; a task without predecessors, and whom
   nobody waits for, costs nothing for it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec.structs import replace

from clawactors.kernel.ranking import Ranking
from clawactors.systems.nodes import NODE, Node
from clawactors.systems.nodes import events as n
from clawactors.systems.placement.choice import NodeCapacity, TaskShape, shape_of
from clawactors.systems.placement.dependencies import Dependencies
from clawactors.systems.placement.limits import Limits, announced
from clawactors.systems.placement.order import TrackedTask, slim
from clawactors.systems.placement.ports import PlacementStart
from clawactors.systems.placement.silence import SILENCE_S, Silence
from clawactors.systems.tasks import TASK, Status, Task, TaskStatus
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks import timers as t
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.timers import Agenda

__all__ = ["ClusterState"]

_ENDED_THERE = frozenset(("completed", "failed", "dead"))


def _light(event: e.TaskEvent) -> e.TaskEvent:
    """The event without what may be large and is of no use here."""
    if isinstance(event, e.Spec):
        large = event.params or event.metadata or event.description
        return replace(event, params={}, metadata={}, description="") if large else event
    if type(event) is e.StepCompleted:
        return event if event.result is None else replace(event, result=None)
    return replace(event, payload=None) if type(event) is e.Signalled else event


def _ignore(_id: str, _version: int, _life: TaskStatus) -> None:
    pass


class ClusterState:
    """All open tasks and all nodes, as of `position`. `agenda` is where their timers are kept, among others."""

    def __init__(self, agenda: Agenda | None = None, silence_s: float = SILENCE_S) -> None:
        self.position = 0
        self.agenda = agenda or Agenda()
        self.silence = Silence(silence_s)
        self.limits = Limits()
        self._limited = self.limits.by_skill
        self._tasks: dict[str, TrackedTask] = {}
        self._seats: dict[str, NodeCapacity] = {}
        self._pending: dict[TaskShape, Ranking[tuple[int, int]]] = {}
        self._due: dict[str, None] = {}
        self._dependencies = Dependencies()
        self._watched = self._dependencies.watched
        self._resolved: dict[str, None] = {}
        self._orphans: dict[str, None] = {}
        self.forks: dict[str, None] = {}
        """Those that wait for steps which somebody is copying, or has ceased to."""
        self._awaited: dict[str, int] = {}
        self._reserved: dict[str, str] = {}
        """Tasks that are being made and given to a node in one commit, by that node, until the commit is folded."""
        self.on_ended: Callable[[str, int, TaskStatus], None] = _ignore
        """Called for each task that ends, with its version."""
        self._frozen: set[str] = set()

    def load(self, snapshot: PlacementStart) -> None:
        """Starts from a view instead of from the first event."""
        for id, _, node in snapshot.nodes():
            self._seats[id] = NodeCapacity(id, node)
        self._announce()
        for kind, id in snapshot.frozen():
            self.freeze(kind, id)
        for id, version, task in snapshot.open_tasks():
            self._hold(id, version, slim(task))
        for id, status in snapshot.ended():
            self._ended_for_others(id, status)
        self.position = snapshot.position

    def apply_node(self, id: str, version: int, events: Sequence[n.NodeEvent], at_ns: int) -> None:
        """Folds a commit of a node."""
        if version <= self.position:
            return
        self.position = version
        seat = self._seats.get(id) or NodeCapacity(id, Node())
        node = seat.node
        for event in events:
            node = NODE.evolve(node, event, at_ns)
        if node is seat.node or seat.frozen:
            return
        self._seats[id] = seat
        seat.update(node)
        if node.status == "removed":
            del self._seats[id]
        self._announce()
        self._enter_assigned(seat)

    def _enter_assigned(self, seat: NodeCapacity) -> None:
        for task_id in seat.assigned.copy():
            if (held := self._tasks.get(task_id)) is not None:  # else it is only reserved
                self._enter(task_id, held)

    def apply_task(
        self, id: str, version: int, events: Sequence[e.TaskEvent], at_ns: int, *, first: bool = True
    ) -> bool:
        """Folds a commit of a task; False when it may be an ended task, forgotten here, that goes on: adopt it then.

        `first` says for a submission that it was appended as the first of its task, so there is nothing to forget.
        """
        if version <= self.position:
            return True
        self.position = version
        held = self._tasks.get(id)
        if id in self._frozen or (held is not None and version <= held.version):
            return True
        if id in self._awaited:
            self._awaited[id] = version
            return True
        if held is None and not (first and type(events[0]) is e.Submitted):
            goes_on = any(isinstance(event, e.Retried | e.Submitted) for event in events)
            if goes_on:
                self._awaited[id] = version
            return not goes_on
        task = held.task if held else Task()
        for event in events:
            task = TASK.evolve(task, _light(event), at_ns)
        if held is not None and held.given and task.life.status in _ENDED_THERE:
            self._ended_one(held.task.life.node, at_ns)
        self._hold(id, version, task)
        return True

    def believes(self, id: str, writer: str) -> bool:
        """May that node, "" for control, speak about the task as it is here? About one that is not open no node may."""
        held = self._tasks.get(id)
        return not writer or (held is not None and TASKS.believes(held.task, writer))

    def adopt(self, id: str, version: int, task: Task) -> bool:
        """Takes in a task as it was read from its log; False when more of it has come meanwhile: read again."""
        task = slim(task)
        if version < self._awaited.get(id, 0):
            return False
        if self._awaited.pop(id, None) is not None and task.exists:
            self._hold(id, version, task)
        return True

    def apply_nothing(self, kind: str, id: str, version: int) -> None:
        """A record that says nothing, or whose writer is not believed: it still counts as a version."""
        if version <= self.position:
            return
        self.position = version
        if kind != "task":
            return
        if (held := self._tasks.get(id)) is not None and version > held.version:
            self._hold(id, version, held.task)
        elif id in self._awaited:
            self._awaited[id] = version

    def freeze(self, kind: str, id: str) -> None:
        """A later release has written to this aggregate: nothing is decided about it here."""
        if kind == "node":
            seat = self._seats.setdefault(id, NodeCapacity(id, Node()))
            seat.frozen = True
            self._enter_assigned(seat)
        elif kind == "task":
            self._frozen.add(id)
            self._awaited.pop(id, None)
            if (held := self._tasks.get(id)) is not None:
                held.ordered, held.to = False, ""  # a newer version, so the order under way comes to nothing
                self._enter(id, held)

    def _hold(self, id: str, version: int, task: Task) -> None:
        """Takes over the task's new state; a task that has ended is let go of."""
        held = self._tasks.get(id)
        if self._reserved:
            self.release(id)
        if held is None:
            if task.spec is None or TASK.is_final(task):
                if task.spec is not None:
                    self.on_ended(id, version, task.life)
                self._ended_for_others(id, task.life.status)
                return
            held = self._tasks[id] = TrackedTask(version, task, shape_of(task.spec, task.life.avoid))
            if self._watched and id in self._watched:
                self._look_again(self._dependencies.opened(id))
        else:
            stays = held.stays(task)
            edited = held.task.spec is not task.spec
            if task.spec is not None and (edited or held.shape.avoid != task.life.avoid):  # it may fit elsewhere now
                self._unqueue(id, held)
                held.shape = shape_of(task.spec, task.life.avoid)
            held.version, held.task, held.ordered, held.to = version, task, False, ""
            if stays:
                return
        self._enter(id, held)
        if TASK.is_final(task):
            del self._tasks[id]
            self.on_ended(id, version, task.life)
            if self._watched:
                self._ended_for_others(id, task.life.status)

    def _enter(self, id: str, held: TrackedTask) -> None:
        """Brings all that is kept about tasks in line with what is known of this one."""
        life, idle = held.task.life, not held.ordered and id not in self._frozen
        orphan = held.given and self._is_orphan(held.task)
        self._count(id, held, "" if orphan else life.node if held.given else held.to)
        if self._limited:
            self.limits.note(held.shape.skill, id, under_way=held.is_under_way)
        if idle and life.status == "pending" and not held.is_overdue:
            queue = self._pending.get(held.shape)
            if queue is None:
                queue = self._pending[held.shape] = Ranking()
            queue.put(id, held.rank)
        else:
            self._unqueue(id, held)
        if held.depends or life.waiting_for == "dependency":
            self._depend(id, held, idle)
        if life.waiting_for == "fork" and life.status == "waiting":
            self.forks[id] = None
        else:
            self.forks.pop(id, None)
        due = self._timed(id, held)
        if idle and due:
            self._due[id] = None
        else:
            self._due.pop(id, None)
        if life.status == "running" and not orphan:
            self.silence.runs(id, life, self._timeout_of(held))
        else:
            self.silence.rests(id)
        if idle and orphan:
            self._orphans[id] = None
        else:
            self._orphans.pop(id, None)

    def _announce(self) -> None:
        self.limits.announce(announced(seat.node for seat in self._seats.values()), self._under_way)

    def _under_way(self, skill: str) -> Iterator[str]:
        return (id for id, held in self._tasks.items() if held.shape.skill == skill and held.is_under_way)

    def _unqueue(self, id: str, held: TrackedTask) -> None:
        if (queue := self._pending.get(held.shape)) is not None:
            queue.discard(id)
            if not queue:
                del self._pending[held.shape]

    def _timed(self, id: str, held: TrackedTask) -> bool:
        """Enters the timers that the task wants; True when one of them has gone off already."""
        agenda, (deadline_ns, wait_ns) = self.agenda, t.open_timers(held.task)
        before, held.timed = held.timed, deadline_ns is not None or wait_ns is not None
        if not (before or held.timed):
            return False
        agenda.want(t.DEADLINE, id, deadline_ns, held.version)
        agenda.want(t.WAIT, id, wait_ns, held.version)
        return any(agenda.is_due(kind, id) for kind in t.KINDS)

    def _depend(self, id: str, held: TrackedTask, idle: bool) -> None:
        """Enters the predecessors that the task waits for, and whether something follows from what became of them."""
        spec, dependencies = held.task.spec, self._dependencies
        held.depends = spec is not None and held.task.life.waiting_for == "dependency"
        if held.depends and spec is not None:
            dependencies.wait(id, spec.after, self._is_open)
        else:
            dependencies.forget(id)
        if idle and dependencies.follows(id, held.task) is not None:
            self._resolved[id] = None
        else:
            self._resolved.pop(id, None)

    def _is_open(self, id: str) -> bool:
        return id in self._tasks or id in self._awaited

    def _ended_for_others(self, id: str, status: Status) -> None:
        if id in self._watched:
            self._look_again(self._dependencies.ended(id, status))

    def _look_again(self, ids: Iterable[str]) -> None:
        for id in ids:
            self._enter(id, self._tasks[id])

    def asks(self) -> list[str]:
        """Tasks that others wait for and that are not open: control reads how they ended and calls `note_status`."""
        return self._dependencies.asks()

    def note_status(self, id: str, version: int, status: Status | None) -> None:
        """What became of a task that was asked for, as of that version; None where there is none."""
        if version > self.position:  # the fold is about to come to it, and may not be told of it by the way
            self._dependencies.ask_again(id)
        else:
            self._look_again(self._dependencies.note_status(id, status))

    def _timeout_of(self, held: TrackedTask) -> float | None:
        spec, seat = held.task.spec, self._seats.get(held.task.life.node)
        if spec is None:
            return None
        return spec.timeout_s or (seat.timeouts.get(spec.skill) if seat else None)

    def on_timer(self, id: str) -> None:
        """A timer of the task has gone off."""
        if (held := self._tasks.get(id)) is not None:
            self._enter(id, held)

    def _count(self, id: str, held: TrackedTask, where: str) -> None:
        if held.seat != where and (left := self._seats.get(held.seat)) is not None:
            left.assigned.discard(id)
        held.seat = where
        if (seat := self._seats.get(where)) is not None:
            seat.assigned.add(id)

    def _is_orphan(self, task: Task) -> bool:
        """True when the run that the task was given to is over."""
        seat = self._seats.get(task.life.node)
        if seat is None:
            return True
        return not seat.frozen and not seat.node.may_run(task.life.incarnation, task.life.losses)

    def _ended_one(self, node: str, at_ns: int) -> None:
        if (seat := self._seats.get(node)) is not None:
            seat.ended_one(at_ns)

    def next_check_ns(self) -> int | None:
        """When to ask for orders again though nothing has happened: an attempt may have gone silent by then."""
        return self.silence.next_check_ns()

    def open_count(self) -> int:
        """How many tasks are open."""
        return len(self._tasks)

    def release(self, id: str) -> None:
        """The task that was about to be given to a node is folded by now, or came to nothing."""
        node = self._reserved.pop(id, None)
        if node is not None and (seat := self._seats.get(node)) is not None:
            seat.assigned.discard(id)

    def live_nodes(self) -> Iterator[tuple[str, str]]:
        """`(id, incarnation)` of every node that is believed to be alive."""
        for seat in self._seats.values():
            if seat.node.alive and not seat.frozen:
                yield seat.id, seat.node.incarnation
