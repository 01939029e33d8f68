"""What placement is told in tests: nodes with skills, tasks with wishes."""

from clawactors.nodes import Node
from clawactors.nodes import events as n
from clawactors.placement.choice import Seat
from clawactors.tasks import events as e
from tests.spec import SECOND

__all__ = ["SECOND", "joined", "seat", "submitted"]


def joined(incarnation: str = "i1", slots: int = 2, skills: str = "echo", **affinity: str) -> n.Joined:
    """A node that offers the skills (names with spaces between)."""
    return n.Joined(
        incarnation=incarnation,
        slots=slots,
        offers=tuple(n.Offer(name) for name in skills.split()),
        affinity=affinity,
    )


def seat(id: str, node: n.Joined, status: str = "online", assigned: int = 0) -> Seat:
    """A node that was given so many tasks."""
    made = Seat(id, Node(status=status, joined=node))  # type: ignore[arg-type]
    made.assigned = {f"t-{number}" for number in range(assigned)}
    return made


def submitted(skill: str = "echo", priority: int = 2, **wishes: object) -> e.Submitted:
    """A task is wanted."""
    return e.Submitted(skill=skill, priority=priority, **wishes)  # type: ignore[arg-type]
