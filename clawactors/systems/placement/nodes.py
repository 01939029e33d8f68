"""The nodes as placement sees them, each with the tasks that count at it.

1. A task counts at one node at most: where it was given to, or where an order is about to give it to.
2. What a later release has written to is left alone, and so are the tasks on a node that it has written to.
"""

from collections.abc import Iterator, Sequence

from clawactors.systems.nodes import NODE, Node
from clawactors.systems.nodes import events as n
from clawactors.systems.placement.choice import NodeCapacity
from clawactors.systems.placement.order import TrackedTask
from clawactors.systems.tasks import Task

__all__ = ["ClusterNodes"]


class ClusterNodes:
    """All nodes by id. `reserved` are tasks that are being made and given to a node in one commit, by that node."""

    def __init__(self) -> None:
        self.by_id: dict[str, NodeCapacity] = {}
        self.reserved: dict[str, str] = {}

    def apply(self, id: str, events: Sequence[n.NodeEvent], at_ns: int) -> NodeCapacity | None:
        """Folds a commit of a node; the node when it has changed."""
        capacity = self.by_id.get(id) or NodeCapacity(id, Node())
        node = capacity.node
        for event in events:
            node = NODE.evolve(node, event, at_ns)
        if node is capacity.node or capacity.frozen:
            return None
        self.by_id[id] = capacity
        capacity.update(node)
        if node.status == "removed":
            del self.by_id[id]
        return capacity

    def freeze(self, id: str) -> NodeCapacity:
        """A later release has written to the node: nothing is known of it any more."""
        capacity = self.by_id.setdefault(id, NodeCapacity(id, Node()))
        capacity.frozen = True
        return capacity

    def count(self, id: str, held: TrackedTask, where: str) -> None:
        """Counts the task at that node, "" for none, and nowhere else."""
        if held.counted_at != where and (left := self.by_id.get(held.counted_at)) is not None:
            left.assigned.discard(id)
        held.counted_at = where
        if (capacity := self.by_id.get(where)) is not None:
            capacity.assigned.add(id)

    def park(self, id: str, held: TrackedTask, where: str) -> None:
        """Notes that this node keeps the task's run in memory, "" for none."""
        if (left := self.by_id.get(held.kept_at)) is not None:
            left.parked.discard(id)
        held.kept_at = where
        if (seat := self.by_id.get(where)) is not None:
            seat.parked.add(id)

    def is_orphan(self, task: Task) -> bool:
        """True when the run that the task was given to is over."""
        capacity = self.by_id.get(task.life.node)
        if capacity is None:
            return True
        return not capacity.frozen and not capacity.node.may_run(task.life.incarnation, task.life.losses)

    def ended_one(self, id: str, at_ns: int) -> None:
        """The code of a task has ended there."""
        if (capacity := self.by_id.get(id)) is not None:
            capacity.ended_one(at_ns)

    def timeout_of(self, task: Task) -> float | None:
        """How long an attempt may take: as the task says, or else as its node says of the skill."""
        spec, capacity = task.spec, self.by_id.get(task.life.node)
        if spec is None:
            return None
        return spec.timeout_s or (capacity.timeouts.get(spec.skill) if capacity else None)

    def reserve(self, id: str, capacity: NodeCapacity, now_ns: int) -> None:
        """Keeps a place for the task until it is folded, or `release`."""
        if not capacity.assigned:
            capacity.busy_ns = now_ns
        self.reserved[id] = capacity.id
        capacity.assigned.add(id)

    def release(self, id: str) -> None:
        """The task that was about to be given to a node is folded by now, or came to nothing."""
        node = self.reserved.pop(id, None)
        if node is not None and (capacity := self.by_id.get(node)) is not None:
            capacity.assigned.discard(id)

    def live(self) -> Iterator[tuple[str, str]]:
        """`(id, incarnation)` of every node that is believed to be alive."""
        for capacity in self.by_id.values():
            if capacity.node.alive and not capacity.frozen:
                yield capacity.id, capacity.node.incarnation
