"""Three machines for a long time: random faults, nodes that come and go, upgrades, and two servers lost at once.

`CLAW_SOAK_S` is how long the troubles last, in seconds (default 600); `CLAW_SOAK_SEED` gives others (default 15).
"""

import asyncio
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from clawactors.eventlog import Unavailable
from tests.scenario.claw import ROOT
from tests.scenario.machines import why_none
from tests.scenario.site import Site, site
from tests.scenario.troubles import Churn, Troubles
from tests.waiting import until

pytestmark = [pytest.mark.nats, pytest.mark.soak, pytest.mark.skipif(bool(why := why_none()), reason=why)]

SOAK_S = float(os.environ.get("CLAW_SOAK_S", "600"))
SEED = int(os.environ.get("CLAW_SOAK_SEED", "15"))
TASKS, PORTION, NODES = 5000, 50, 50
OLD = "HEAD~100"
"""The release before: far enough back to differ, near enough to have the same requirements."""


async def submit_all(three: Site, seconds: float) -> None:
    """That many tasks, over that time."""
    for portion in range(TASKS // PORTION):
        skill = ("plods", "plods-few", "plods-in-thread")[portion % 3] if portion % 10 else "plods"
        await three.submit(PORTION if skill != "plods-few" else 5, skill, f"p{portion}", steps=2)
        await asyncio.sleep(seconds * PORTION / TASKS / 2)


async def ends_well(three: Site) -> int:
    """All that was acknowledged has ended, as it was told, and as often as it was to; how many tasks there are."""
    await three.settle()
    await three.hear_all(list(three.told.acknowledged))
    return len((await three.judge()).tasks)


@pytest.mark.timeout(SOAK_S + 900)
async def test_a_long_time_of_troubles_loses_doubles_and_leaves_nothing(tmp_path: Path) -> None:
    async with site(tmp_path, controls=(0, 1, 2), nodes=3) as three:
        troubles = Troubles(three, SEED)
        async with Churn(three, SEED, NODES) as churn:
            submitting = asyncio.create_task(submit_all(three, SOAK_S))
            await troubles.run(SOAK_S)
            await submitting
        tasks = await ends_well(three)
        print(f"\nseed {SEED}: {tasks} tasks, {churn.joined} nodes joined, {len(troubles.done)} troubles")


async def test_two_servers_that_die_are_told_and_nothing_is_lost_when_they_return(tmp_path: Path) -> None:
    async with site(tmp_path) as three:
        await three.submit(60, steps=4, seconds=0.2)
        for server in three.three.servers[1:]:
            server.kill()
        with pytest.raises(Unavailable):
            await three.client.submit("plods", {"trace": str(three.trace)}, id="denied")
        for server in three.three.servers[1:]:
            await server.restart()
        await until(three.are_whole, "all three are whole again")
        await three.probe(time.monotonic())
        await ends_well(three)


async def test_servers_are_upgraded_one_by_one_while_tasks_run(tmp_path: Path) -> None:
    async with site(tmp_path) as three:
        for number, server in enumerate(three.three.servers):
            await three.submit(100, prefix=f"upgrade-{number}", steps=4, seconds=0.05)
            server.signal(signal.SIGUSR2)  # lame duck: clients and leaders move
            print(f"{await three.probe(time.monotonic()):.2f} s")
            server.kill()
            await server.restart()
            await until(three.are_whole, "it has caught up")
        await ends_well(three)


def release_before(folder: Path) -> str:
    """The checkout of an earlier commit, '' where there is none."""
    folder.mkdir()
    archived = subprocess.run(["git", "-C", ROOT, "archive", OLD], capture_output=True, check=False)  # noqa: S607
    if archived.returncode:
        return ""
    subprocess.run(["tar", "-x", "-C", folder], input=archived.stdout, check=True)  # noqa: S607
    return str(folder)


async def test_processes_of_the_release_before_are_replaced_one_by_one_while_tasks_run(tmp_path: Path) -> None:
    before = release_before(tmp_path / "before")
    if not before:
        pytest.skip("no earlier commit is here")
    async with site(tmp_path / "site", root=before) as three:
        await three.submit(200, steps=6, seconds=0.1)
        for old in list(three.controls):
            assert await three.control(three.net.members[2]).start()
            await old.stop()
            await three.submit(50, prefix=f"after-{old.name}", steps=4)
            await three.probe(time.monotonic())
        for id, node in list(three.nodes.items()):
            assert await three.node(f"{id}-new", three.net.members[1]).start()
            await node.stop()
        await ends_well(three)
