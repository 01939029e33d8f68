"""Whole clusters live through seeded troubles in one event loop, in virtual time; see `simulation` for the promises.

A life is lived again by its seed and the seed of hashes, which orders sets: `PYTHONHASHSEED`, as `bin/check` tells it.
"""

import os
import random
from types import SimpleNamespace

import pytest

from clawactors.runtime import naming
from tests.clawactors.runtime.simulation import World
from tests.clawactors.runtime.virtual import run_virtually


def lives_well(seed: int, tasks: int) -> None:
    chance = random.Random(seed)

    async def life() -> list[str]:
        world = World(
            seed,
            tasks=tasks,
            controls=chance.randint(1, 3),
            nodes=chance.randint(1, 4),
            trouble=chance.choice((0, 0.03, 0.1)),
        )
        return await world.live()

    names = random.Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(naming, "os", SimpleNamespace(urandom=names.randbytes))
        patch.setattr(naming, "time", SimpleNamespace(time_ns=lambda: 0))
        complaints = run_virtually(life())
    hashes = os.environ.get("PYTHONHASHSEED", "unknown")
    assert not complaints, f"seed {seed}, {tasks} tasks, hash seed {hashes}: " + "\n".join(complaints[:20])


@pytest.mark.parametrize("seed", range(12))
def test_a_cluster_in_trouble_loses_doubles_and_forgets_nothing(seed: int) -> None:
    lives_well(seed, 120)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1000, 1400))
def test_many_clusters_in_trouble_lose_double_and_forget_nothing(seed: int) -> None:
    lives_well(seed, 120)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2000, 2010))
def test_large_clusters_in_trouble_lose_double_and_forget_nothing(seed: int) -> None:
    lives_well(seed, 2000)
