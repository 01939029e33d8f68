"""The projection of the cluster, put together from the kinds and the views of this release."""

from typing import Final

from clawactors.kinds import KINDS
from clawactors.projections.cluster import cluster_projection

__all__ = ["CLUSTER"]

CLUSTER: Final = cluster_projection(KINDS)
