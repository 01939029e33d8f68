from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clawactors.projections.engine.projector import Projector
from tests.projections.cluster import CLUSTER


@pytest.fixture
def projector(tmp_path: Path) -> Iterator[Projector]:
    opened = Projector.open(CLUSTER, tmp_path / "views", "log-1")
    yield opened
    opened.close()


@pytest.fixture
def projectors(tmp_path: Path) -> Iterator[Callable[[str], Projector]]:
    """Opens projectors by name; the same name again after closing is the same store."""
    opened: list[Projector] = []

    def open(name: str) -> Projector:
        opened.append(Projector.open(CLUSTER, tmp_path / name, "log-1"))
        return opened[-1]

    yield open
    for each in opened:
        each.close()
