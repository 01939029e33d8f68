"""The commands that follow from what placement knows: recover, make ready, schedule.

1. An order is proposed once for a version; a newer version of the task withdraws it by itself.
2. A node never has more tasks than its room when an order is made.
3. Tasks go in the order that was chosen (`policy`); what finds no slot or no place under its limit holds up nobody.
"""

import heapq
from collections.abc import Iterator, Mapping

from clawactors.systems.nodes import Node
from clawactors.systems.placement.choice import NodeCapacity, TaskShape, choose, shape_of, wait_for, why_not
from clawactors.systems.placement.limits import Limit
from clawactors.systems.placement.order import PlannedCommand
from clawactors.systems.placement.queues import QueueHead
from clawactors.systems.placement.rooms import Rooms
from clawactors.systems.placement.state import ClusterState
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import timers as t
from clawactors.systems.tasks.events import Spec

__all__ = ["Placement"]


def _go_on(heads: list[tuple[QueueHead, TaskShape]], head: QueueHead | None, shape: TaskShape) -> None:
    """Replaces the first of the heads by the next of its queue, if there is one."""
    if head is None:
        heapq.heappop(heads)
    else:
        heapq.heapreplace(heads, (head, shape))


class Placement:
    """Plans from what `state` knows; the leader sends its commands."""

    def __init__(self, state: ClusterState) -> None:
        self.state = state
        self._open, self._capacities, self._limits = state.tasks, state.nodes.by_id, state.tasks.limits
        self._tasks, self._pending = state.tasks.by_id, state.tasks.pending

    def orders(self, now_ns: int, limit: int = 1000) -> list[PlannedCommand]:
        """Commands that the present state calls for, at most `limit` of each sort, each proposed once a version."""
        return [
            *self._recoveries(limit),
            *self._timers(limit),
            *self._dependents(limit),
            *self._silent(now_ns, limit),
            *self._placements(now_ns, limit),
        ]

    def _order(self, id: str, command: c.TaskCommand, to: str = "") -> PlannedCommand:
        held = self._tasks[id]
        held.ordered, held.to = True, to
        self._open.enter(id, held)
        return PlannedCommand(id, held.version, held.task, command, to)

    def _recoveries(self, limit: int) -> Iterator[PlannedCommand]:
        for id in list(self._open.orphans)[:limit]:
            task = self._tasks[id].task
            capacity = self._capacities.get(task.life.node)
            node = capacity.node if capacity else Node()
            same = node.incarnation == task.life.incarnation
            reason = (node.reason or "it was lost for a while") if same else "its incarnation is over"
            reason, left_well = f"node {task.life.node}: {reason}", same and node.left
            if self._tasks[id].rests:
                yield self._order(id, c.Unpark(task.fence, reason))
                continue
            yield self._order(id, c.Interrupt(task.fence, reason, counted=not left_well))

    def _timers(self, limit: int) -> Iterator[PlannedCommand]:
        for id in list(self._open.due)[:limit]:
            task = self._tasks[id].task
            kind = next((kind for kind in t.KINDS if self.state.agenda.is_due(kind, id)), None)
            if kind is None:  # the time of the log was set back
                del self._open.due[id]
                continue
            yield self._order(id, t.when_due(kind, task), to="" if task.life.limited else task.life.node)

    def _dependents(self, limit: int) -> Iterator[PlannedCommand]:
        for id in list(self._open.resolved)[:limit]:
            command = self._open.dependencies.follows(id, self._tasks[id].task)
            if command is not None:
                yield self._order(id, command)

    def _silent(self, now_ns: int, limit: int) -> Iterator[PlannedCommand]:
        for id in self.state.silence.to_check(now_ns, limit):
            held = self._tasks[id]
            reason = self.state.silence.verdict(id, held.task.life, now_ns)
            if reason and not held.ordered and id not in self._open.frozen:
                node = held.task.life.node
                yield self._order(id, c.Interrupt(held.task.fence, f"node {node}: {reason}"), to=node)

    def _placements(self, now_ns: int, limit: int) -> Iterator[PlannedCommand]:
        """The next by the order that was chosen; a shape that finds no free slot waits, the others go on."""
        if not self._pending:
            return
        queues, before_ns = self._open.queues, self._open.queues.before_ns(now_ns)
        heads, rooms = queues.heads(now_ns), Rooms(self._capacities.values(), now_ns)
        heapq.heapify(heads)
        while heads and limit > 0:
            head, shape = heads[0]
            if not queues.is_next(head):  # its user has had a turn meanwhile
                _go_on(heads, self._pending[shape].first(before_ns), shape)
                continue
            forbidden = self._limits.by_skill and self._limits.forbid(shape.skill)
            capacity = None if forbidden else rooms.choose(shape)
            if capacity is None:
                heapq.heappop(heads)
                continue
            queues.serve(head)
            command = c.ScheduleTask(capacity.id, capacity.node.incarnation, capacity.node.losses)
            yield self._order(head.id, command, to=capacity.id)
            queue = self._pending.get(shape)
            _go_on(heads, None if queue is None else queue.first(before_ns), shape)
            limit -= 1

    def reserve(self, id: str, spec: Spec, now_ns: int) -> NodeCapacity | None:
        """The node that a new task would be given to now, which keeps a place for it; None where it has to wait.

        It waits behind others of its shape, under a limit, and where something with its id is open.
        """
        shape = shape_of(spec)
        if (
            id in self._tasks
            or id in self.state.nodes.reserved
            or shape in self._pending
            or self._limits.of(spec.skill) is not None
        ):
            return None
        capacity = choose(shape, self._capacities.values(), now_ns)
        if capacity is not None:
            self.state.nodes.reserve(id, capacity, now_ns)
        return capacity

    def wait_s(self, shapes: Mapping[TaskShape, int], now_ns: int) -> float:
        """Seconds until so many new tasks of each shape could be given away; infinite where that can't be foreseen."""
        waits = (
            wait_for(shape, count, len(self._pending.get(shape, ())), self._capacities.values(), now_ns)
            for shape, count in shapes.items()
        )
        return max(waits, default=0.0)

    def release(self, id: str) -> None:
        """The task that a place was reserved for came to nothing."""
        self.state.nodes.release(id)

    def withdraw(self, order: PlannedCommand) -> None:
        """Takes back an order that could not be carried out; it is proposed again unless the task has moved on."""
        held = self._tasks.get(order.id)
        if held is not None and held.version == order.version:
            held.ordered, held.to = False, ""
            self._open.enter(order.id, held)

    def is_limited(self, order: PlannedCommand) -> bool:
        """True for one that takes a place of few."""
        spec = order.task.spec
        return bool(order.to and spec is not None and self._limits.of(spec.skill))

    def why(self, id: str, now_ns: int) -> list[str]:
        """Why a pending task is not placed; empty when it is about to be, or is not pending."""
        held = self._tasks.get(id)
        if held is None or held.task.life.status != "pending" or held.ordered:
            return []
        if id in self._open.frozen:
            return ["a later release has written to it; only such a release can go on with it"]
        limit = self.limit_of(id)
        return [*([limit.reason] if limit else ()), *why_not(held.shape, self._capacities.values(), now_ns)]

    def limit_of(self, id: str) -> Limit | None:
        """The limit that a pending task waits for, None where it waits for none."""
        held = self._tasks.get(id)
        if held is None or held.task.life.status != "pending" or held.ordered:
            return None
        limit = self._limits.of(held.shape.skill)
        return limit if limit is not None and limit.is_reached else None
