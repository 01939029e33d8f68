"""Minutes of random commands and kills, and a history that must show none of it: nothing lost, doubled, early or stuck.

`CLAW_SOAK_S` is how long, in seconds (default 600); `CLAW_SOAK_SEED` gives another life (default 2).
"""

import os
from pathlib import Path

import pytest

from clawactors.app.clusterplan import ClusterPlan
from tests.scenario.havoc import Havoc
from tests.scenario.limited import most_at_once
from tests.scenario.living import FEW
from tests.scenario.random_life import Users
from tests.scenario.system import running
from tests.scenario.timely import Timely

pytestmark = pytest.mark.nats

SKILLS = str(Path(__file__).with_name("living.py"))
SOAK_S = float(os.environ.get("CLAW_SOAK_S", "600"))
SETTLE_S = 120.0


async def lives(folder: Path, seconds: float, seed: int) -> None:
    """A cluster of three nodes for that long, then the judgement."""
    async with running(folder, ClusterPlan(nodes=3, slots=4, skills=(SKILLS,))) as system:
        users = Users(system, seed)
        victims = ["n1", "n2", "n3", "control", "server"]
        async with Havoc(system, seed, victims, every_s=2.0, stopped_s=3.0) as havoc:
            await users.live(seconds)
        await users.settle(SETTLE_S)
        audit = await system.audit()
        assert await most_at_once(system.log, "plods-few") <= FEW
        timely = await Timely().read(system.log)
        assert not timely.problems, f"{len(timely.problems)} problems: {timely.problems[:10]}"
        await system.replay_is_equal()
        ends = sorted({task.life.status for task in audit.tasks.values()})
        print(f"\nseed {seed}: {len(audit.tasks)} tasks ended {ends}; {timely}; {len(havoc.strikes)} strikes")
        print(f"{dict(users.done)}")


async def test_a_short_life_at_random_keeps_every_promise(tmp_path: Path) -> None:
    await lives(tmp_path, 6.0, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(SOAK_S + 2 * SETTLE_S + 600)
async def test_a_long_life_at_random_keeps_every_promise(tmp_path: Path) -> None:
    await lives(tmp_path, SOAK_S, seed=int(os.environ.get("CLAW_SOAK_SEED", "2")))
