"""In which order pending tasks are placed: what an operator chose, and the rank that follows from it. A policy.

1. A rank is a function of the task alone, so it is total, stable, and the same in every process.
2. What is equal by the order that was chosen goes by priority, then by age, then by id.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from clawactors.systems.settings import DEFAULTS, Settings
from clawactors.systems.settings.weights import weights_of
from clawactors.systems.tasks import TaskStatus
from clawactors.systems.tasks.events import Spec

__all__ = ["NEVER_NS", "OrderName", "QueuePolicy", "Rank", "may_starve", "rank_of"]

type OrderName = Literal["fifo", "priority", "deadline"]
type Rank = tuple[int, ...]
"""Ranks of one order compare with each other; the smallest goes first."""

NEVER_NS: Final = 2**63 - 1
_URGENT: Final = 4


class QueuePolicy(msgspec.Struct, frozen=True, gc=False):
    """`patience_ns`: a task that has waited longer gets every second place of its user, 0 for never.

    `fair`: users share places by their `weights`, 1 where none is given; else all tasks are as those of one user.
    """

    order: OrderName = "priority"
    patience_ns: int = int(DEFAULTS.queue_patience * 1e9)
    fair: bool = True
    weights: Mapping[str, float] = MappingProxyType({})

    @classmethod
    def of(cls, settings: Settings) -> "QueuePolicy":
        """As the settings say."""
        return cls(
            settings.queue_order,  # type: ignore[arg-type]  # one of the choices of its setting
            int(settings.queue_patience * 1e9),
            settings.queue_fair,
            weights_of(settings.queue_weights),
        )


def rank_of(order: OrderName, spec: Spec, life: TaskStatus) -> Rank:
    """Where the task stands among those of its user."""
    match order:
        case "fifo":
            return (life.submitted_ns,)
        case "priority":
            return (-spec.priority, life.submitted_ns)
        case "deadline":
            return (spec.deadline_ns or NEVER_NS, -spec.priority, life.submitted_ns)


def may_starve(order: OrderName, spec: Spec) -> bool:
    """True where tasks that come later can go before it for ever: only these get places because they have waited."""
    match order:
        case "fifo":
            return False
        case "priority":
            return spec.priority < _URGENT
        case "deadline":
            return not spec.deadline_ns
