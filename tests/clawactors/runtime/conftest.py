"""What the tests of the runtime share."""

from collections.abc import AsyncIterator

import pytest

from tests.clawactors.runtime.cluster import Cluster, Stage


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    """A cluster without processes yet; all that a test starts in it ends with the test."""
    async with Cluster() as cluster:
        yield cluster


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """Single attempts of tasks, without a node around them."""
    async with Stage() as stage:
        yield stage
