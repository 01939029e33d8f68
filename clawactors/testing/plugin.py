"""The pytest plugin, there once clawactors is installed: the fixture `claw_cluster`, the marker `claw`.

It imports nothing but pytest until a test asks for the fixture.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from clawactors.testing.cluster import Cluster

__all__ = ["claw_cluster", "pytest_configure"]


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known."""
    config.addinivalue_line(
        "markers", "claw(skills, nodes, slots, seed, start, secrets): what the clusters of `claw_cluster` have"
    )


@pytest.fixture
def claw_cluster(request: pytest.FixtureRequest) -> "Callable[..., Cluster]":
    """Makes test clusters: `async with claw_cluster(skills=[…]) as cluster:`, or `with` in a test that is not async.

    It takes the options of `clawactors.testing.Cluster`; those of the markers `claw` hold where it is given others.
    """
    from clawactors.testing.cluster import Cluster

    marked: dict[str, Any] = {}
    for marker in request.node.iter_markers("claw"):  # the closest comes first
        marked = {**marker.kwargs, **marked}
    return lambda **options: Cluster(**{**marked, **options})
