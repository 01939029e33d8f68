"""The fold that placement works on, and the commands that follow from it.

1. Applying is idempotent by version: what was seen already changes nothing.
2. An order is proposed once for a version; a newer version of the task withdraws it by itself.
3. A node never has more tasks than its room when an order is made.
"""

import heapq
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from clawactors.nodes import NODE, Node
from clawactors.nodes import events as n
from clawactors.placement.choice import Seat, Shape, choose, shape_of, why_not
from clawactors.placement.ports import Snapshot
from clawactors.tasks import TASK, Task
from clawactors.tasks import commands as c
from clawactors.tasks import events as e

__all__ = ["Order", "Placement"]

FROZEN: Final = 1 << 62
"""A version that no commit reaches."""


class Order(msgspec.Struct, frozen=True, gc=False):
    """A command to a task, decided on this version of it; `to` is the node that must hear of it."""

    id: str
    version: int
    task: Task
    command: c.TaskCommand
    to: str = ""


class _Held(msgspec.Struct):
    version: int
    task: Task
    ordered: int = 0
    """The version for which an order is under way."""


class Placement:
    """All open tasks and all nodes, as of `position`."""

    def __init__(self) -> None:
        self.position = 0
        self._tasks: dict[str, _Held] = {}
        self._seats: dict[str, Seat] = {}
        self._pending: dict[Shape, list[tuple[int, int, str]]] = {}
        self._due: list[tuple[int, str]] = []
        self._orphans: set[str] = set()

    def load(self, snapshot: Snapshot) -> None:
        """Starts from a view instead of from the first event."""
        for id, version, node in snapshot.nodes():
            self._seats[id] = Seat(id, version, node)
        for id, version, task in snapshot.open_tasks():
            self._hold(id, version, task)
        self.position = snapshot.position

    def apply_node(self, id: str, version: int, events: Sequence[n.NodeEvent], at_ns: int) -> None:
        """Folds a commit of a node."""
        self.position = max(self.position, version)
        seat = self._seats.get(id)
        if seat is not None and version <= seat.version:
            return
        node = seat.node if seat else Node()
        for event in events:
            node = NODE.evolve(node, event, at_ns)
        if seat is None:
            seat = self._seats[id] = Seat(id, version, node)
        else:
            seat.update(version, node)
        for task_id in seat.assigned:
            if self._orphaned(self._tasks[task_id].task):
                self._orphans.add(task_id)
        if node.status == "removed" and not seat.assigned:
            del self._seats[id]

    def apply_task(self, id: str, version: int, events: Sequence[e.TaskEvent], at_ns: int) -> None:
        """Folds a commit of a task."""
        self.position = max(self.position, version)
        held = self._tasks.get(id)
        if held is not None and version <= held.version:
            return
        task = held.task if held else Task()
        for event in events:
            # Results of steps are of no use here and may be large.
            task = TASK.evolve(task, replace(event, result=None) if type(event) is e.StepCompleted else event, at_ns)
        if held is not None:
            self._release(id, held.task, task, at_ns)
        if task.exists:
            self._hold(id, version, task)

    def apply_nothing(self, kind: str, id: str, version: int) -> None:
        """A record that says nothing: it still counts as a version."""
        self.position = max(self.position, version)
        if kind == "task" and (held := self._tasks.get(id)) is not None and version > held.version:
            task = held.task
            self._hold(id, version, task)
        elif kind == "node" and (seat := self._seats.get(id)) is not None and version > seat.version:
            seat.update(version, seat.node)

    def freeze(self, kind: str, id: str) -> None:
        """A later release has written to this aggregate: nothing is decided about it here."""
        if kind == "task" and (held := self._tasks.get(id)) is not None:
            self._orphans.discard(id)
            held.version = held.ordered = FROZEN
        elif kind == "node" and (seat := self._seats.get(id)) is not None:
            seat.version = FROZEN

    def _release(self, id: str, before: Task, after: Task, at_ns: int) -> None:
        life = before.life
        if life.status in ("scheduled", "running") and (seat := self._seats.get(life.node)) is not None:
            seat.assigned.discard(id)
            if TASK.is_final(after):
                seat.ended_one(at_ns)

    def _hold(self, id: str, version: int, task: Task) -> None:
        if TASK.is_final(task):
            self._tasks.pop(id, None)
            self._orphans.discard(id)
            return
        held = self._tasks.get(id)
        if held is None:
            self._tasks[id] = _Held(version, task)
        else:
            held.version, held.task = version, task
        life, spec = task.life, task.spec
        if spec is None:
            return
        self._orphans.discard(id)
        match life.status:
            case "pending":
                queue = self._pending.setdefault(shape_of(spec), [])
                heapq.heappush(queue, (-spec.priority, life.submitted_ns, id))
            case "waiting" if life.until_ns:
                heapq.heappush(self._due, (life.until_ns, id))
            case "scheduled" | "running":
                if (seat := self._seats.get(life.node)) is not None:
                    seat.assigned.add(id)
                if self._orphaned(task):
                    self._orphans.add(id)
            case _:
                pass

    def _orphaned(self, task: Task) -> bool:
        """True when the run that the task was given to is over."""
        if task.life.status not in ("scheduled", "running"):
            return False
        seat = self._seats.get(task.life.node)
        return seat is None or not seat.node.alive or seat.node.incarnation != task.life.incarnation

    def next_due_ns(self) -> int | None:
        """When the next waiting task is due, ns since 1970."""
        return self._due[0][0] if self._due else None

    def orders(self, now_ns: int, limit: int = 1000) -> Iterator[Order]:
        """Commands that the present state calls for, at most `limit` of each sort, each proposed once a version."""
        yield from self._recoveries(limit)
        yield from self._timers(now_ns, limit)
        yield from self._placements(now_ns, limit)

    def _recoveries(self, limit: int) -> Iterator[Order]:
        for id in list(self._orphans)[:limit]:
            self._orphans.discard(id)
            held = self._tasks[id]
            if held.ordered == held.version:
                continue
            held.ordered = held.version
            life = held.task.life
            seat = self._seats.get(life.node)
            reason = (seat.node.reason if seat else "") or "its incarnation is over"
            left_well = seat is not None and seat.node.status == "offline" and seat.node.left
            command = c.Interrupt(held.task.fence, f"node {life.node}: {reason}", counted=not left_well)
            yield Order(id, held.version, held.task, command)

    def _timers(self, now_ns: int, limit: int) -> Iterator[Order]:
        for _ in range(limit):
            if not self._due or self._due[0][0] > now_ns:
                return
            until_ns, id = heapq.heappop(self._due)
            held = self._tasks.get(id)
            if held is None or held.ordered == held.version:
                continue
            life = held.task.life
            if life.status == "waiting" and life.until_ns == until_ns:
                held.ordered = held.version
                yield Order(id, held.version, held.task, c.Ready())

    def _placements(self, now_ns: int, limit: int) -> Iterator[Order]:
        for shape in list(self._pending):
            queue = self._pending[shape]
            while queue and limit > 0:
                held = self._tasks.get(queue[0][2])
                if held is None or held.task.life.status != "pending" or held.ordered == held.version:
                    heapq.heappop(queue)
                    continue
                seat = choose(shape, self._seats.values(), now_ns)
                if seat is None:
                    break
                _, _, id = heapq.heappop(queue)
                held.ordered = held.version
                # Counted at once: the next choice must see it. A refused order gives the place back in `withdraw`.
                seat.assigned.add(id)
                limit -= 1
                yield Order(id, held.version, held.task, c.Schedule(seat.id, seat.node.incarnation), to=seat.id)
            if not queue:
                del self._pending[shape]

    def withdraw(self, order: Order) -> None:
        """Takes back an order that could not be carried out; it is proposed again unless the task has moved on."""
        if isinstance(order.command, c.Schedule) and (seat := self._seats.get(order.to)) is not None:
            held = self._tasks.get(order.id)
            if held is None or held.task.life.node != order.to:
                seat.assigned.discard(order.id)
        held = self._tasks.get(order.id)
        if held is not None and held.version == order.version:
            held.ordered = 0
            self._hold(order.id, held.version, held.task)

    def why(self, id: str, now_ns: int) -> list[str]:
        """Why a pending task is not placed; empty when it is about to be, or is not pending."""
        held = self._tasks.get(id)
        if held is None or held.task.life.status != "pending" or held.task.spec is None:
            return []
        return why_not(shape_of(held.task.spec), self._seats.values(), now_ns)

    def waiting_count(self) -> int:
        """How many tasks are open."""
        return len(self._tasks)

    def live_nodes(self) -> Iterator[tuple[str, str]]:
        """`(id, incarnation)` of every node that is believed to be alive."""
        for seat in self._seats.values():
            if seat.node.alive:
                yield seat.id, seat.node.incarnation
