"""The two lists that a system is added to: kinds, and views."""

from clawactors.kernel.kind import Kinds
from clawactors.kinds import KINDS as OURS
from clawactors.projections.cluster import VIEWS, cluster_projection
from tests.toy.counters.kind import COUNTERS
from tests.toy.counters.view import COUNTERS_VIEW

KINDS = Kinds((*OURS, COUNTERS))
CLUSTER = cluster_projection(KINDS, (*VIEWS, COUNTERS_VIEW))
