"""Placement: which node gets which task, and what happens to the tasks of a node that is gone. Pure.

In: the events of tasks and nodes, folded by every control process. Out: commands (`Order`), carried out by the one
that leads. Two that believe to lead do no harm: every order is guarded by the version that it was decided on.
Never here: heartbeats; a lost node is an event like any other.
"""

from clawactors.placement.order import Order
from clawactors.placement.placement import Placement
from clawactors.placement.ports import Snapshot
from clawactors.placement.silence import SILENCE_S

__all__ = ["SILENCE_S", "Order", "Placement", "Snapshot"]
