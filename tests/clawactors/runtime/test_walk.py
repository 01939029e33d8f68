"""Kill -9 of every process at every append of a life that parks, wakes, fans out, undoes, asks and cancels."""

import random
from types import SimpleNamespace

import pytest

from clawactors.runtime import naming
from tests.clawactors.runtime.virtual import run_virtually
from tests.clawactors.runtime.walk import VICTIMS, Strike, Walk


def walked(seed: int, *strikes: Strike, children: int = 6) -> Walk:
    """A walk that has been lived, the same for the same arguments."""

    async def life() -> Walk:
        walk = Walk(seed, strikes, children=children)
        await walk.live()
        return walk

    names = random.Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(naming, "os", SimpleNamespace(urandom=names.randbytes))
        patch.setattr(naming, "time", SimpleNamespace(time_ns=lambda: 0))
        walk = run_virtually(life())
    complaints = walk.audit.complaints
    assert not complaints, f"seed {seed}, {strikes}, {children} children: " + "\n".join(complaints[:5])
    return walk


def some_strikes(chance: random.Random, appends: int, count: int) -> list[Strike]:
    """Kills at that many of the appends, in order."""
    places = sorted(chance.sample(range(1, appends), count))
    return [Strike(at, chance.choice(("before", "after")), chance.choice(VICTIMS)) for at in places]


def test_a_life_without_kills_ends_as_expected() -> None:
    walked(1)


@pytest.mark.parametrize("seed", range(3))
def test_a_kill_at_any_append_loses_and_doubles_nothing(seed: int) -> None:
    chance = random.Random(seed)
    for strike in some_strikes(chance, 150, 3):
        walked(seed, strike, children=3)


@pytest.mark.parametrize("seed", range(3))
def test_kills_again_and_again_lose_and_double_nothing(seed: int) -> None:
    walked(seed, *some_strikes(random.Random(seed), 160, 6), children=3)


@pytest.mark.soak
@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("point", ["before", "after"])
def test_a_kill_at_each_append_loses_and_doubles_nothing(victim: str, point: str) -> None:
    appends = walked(7, children=4).appends
    for at in range(1, appends + 1):
        walked(7, Strike(at, point, victim), children=4)  # type: ignore[arg-type]


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 160))
def test_many_kills_with_fifty_children_lose_and_double_nothing(seed: int) -> None:
    walked(seed, *some_strikes(random.Random(seed), 380, 12), children=50)
