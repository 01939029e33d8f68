"""The projections of this release: the cluster's, put together from its kinds and views, and memory's."""

from typing import Final

from clawactors.kinds import KINDS
from clawactors.projections.cluster import cluster_projection
from clawactors.projections.engine.view import Projection

__all__ = ["CLUSTER", "projection_named", "projections"]

CLUSTER: Final = cluster_projection(KINDS)


def projections() -> tuple[Projection, ...]:
    """All that is built by replay. It imports memory, which takes a moment."""
    from clawactors.memory.index.view import memory_projection

    return CLUSTER, memory_projection()


def projection_named(name: str) -> Projection:
    """The projection of that name, which is one of `projections`; the cluster's without importing memory."""
    return CLUSTER if name == CLUSTER.name else next(each for each in projections() if each.name == name)
