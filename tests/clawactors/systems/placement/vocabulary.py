"""What placement is told in tests: nodes with skills, tasks with options."""

from clawactors.systems.nodes import Node
from clawactors.systems.nodes import events as n
from clawactors.systems.placement.choice import NodeCapacity
from clawactors.systems.tasks import events as e
from tests.spec import SECOND

__all__ = ["SECOND", "capacity", "joined", "submitted"]


def joined(incarnation: str = "i1", slots: int = 2, skills: str = "echo", **affinity: str) -> n.NodeJoined:
    """A node that offers the skills (names with spaces between)."""
    return n.NodeJoined(
        incarnation=incarnation,
        slots=slots,
        offers=tuple(n.Offer(name) for name in skills.split()),
        affinity=affinity,
    )


def capacity(id: str, node: n.NodeJoined, status: str = "online", assigned: int = 0) -> NodeCapacity:
    """A node that was given so many tasks."""
    made = NodeCapacity(id, Node(status=status, joined=node))  # type: ignore[arg-type]
    made.assigned = {f"t-{number}" for number in range(assigned)}
    return made


def submitted(skill: str = "echo", priority: int = 2, **options: object) -> e.Submitted:
    """A task is wanted."""
    return e.Submitted(skill=skill, priority=priority, **options)  # type: ignore[arg-type]
