"""Placement: which node gets which task, and what happens to the tasks of a node that is gone. Pure.

In: the events of tasks and nodes, folded by every control process. Out: `PlannedCommand`s, carried out by the one
that leads. Two that believe to lead do no harm: every order is guarded by the version that it was decided on.
Never here: heartbeats; a lost node is an event like any other.
"""

from clawactors.systems.placement.order import PlannedCommand, slim
from clawactors.systems.placement.placement import Placement
from clawactors.systems.placement.ports import PlacementStart
from clawactors.systems.placement.state import ClusterState

__all__ = ["ClusterState", "Placement", "PlacementStart", "PlannedCommand", "slim"]
