"""States that laws of tasks are tried in."""

import pytest

from clawactors.systems.tasks import Task
from tests.clawactors.systems.tasks.reachable import states


@pytest.fixture(scope="session", params=[3, pytest.param(0, marks=pytest.mark.soak)], ids=["by threes", "all"])
def reached(request: pytest.FixtureRequest) -> list[Task]:
    """Every three of the things that matter together, in some state; with the soak, every state."""
    return states(request.param)
