"""The projection of the cluster on the kinds of this release, as the composition root makes it."""

from clawactors.kinds import KINDS
from clawactors.projections.cluster import cluster_projection

CLUSTER = cluster_projection(KINDS)
