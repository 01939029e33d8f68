"""A backup of a working cluster becomes another cluster that goes on with the work."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from clawactors.app.cluster import ClusterPlan
from tests.scenario.claw import Claw
from tests.scenario.system import SKILLS, System, running

pytestmark = pytest.mark.nats

PLAN = ClusterPlan(nodes=1, slots=4, skills=(SKILLS,))


async def is_moved(folder: Path, count: int) -> None:
    """Backs up with work under way, restores to a new folder, and has the rest of the work done there."""
    old, new = folder / "old", folder / "new"
    old.mkdir()
    new.mkdir()
    file = folder / "backup.tar"
    async with running(old, PLAN) as system:
        await system.ended(await system.submit(count, "no-op"), patience_s=3000)
        under_way = await system.submit(4, "work", "under-way", steps=4, seconds=0.5)
        sleeping = await system.submit(1, "naps", "sleeping", seconds=2)
        queued = await system.submit(20, "work", "queued", steps=1)
        made = await system.run_claw("backup", str(file))
        assert made.code == 0, made

    claw = Claw(new / "data")
    restored = await asyncio.to_thread(claw, "restore", str(file), "--json")
    assert restored.code == 0, restored
    report = restored.answer
    assert [check["ok"] for check in report["checks"]] == [True] * 3, "digests of both projections are as before"
    assert all("same rows as before" in check["detail"] for check in report["checks"][1:])

    async with running(new, PLAN) as system:
        system.trace = old / "trace"
        first = await system.client.snapshot("t0")
        assert first.version <= made.answer["last_seq"]
        await system.ended([*under_way, *sleeping, *queued])
        await goes_on(system)
        if count > 1000:  # the restore has compared already
            await system.replay_is_equal()


async def goes_on(system: System) -> None:
    """What is submitted now runs, and what was submitted before the backup is known."""
    await system.ended(await system.submit(5, prefix="new"))
    counts = msgspec.to_builtins(await system.client.status(fresh=True))["tasks"]
    assert {name for name, count in counts.items() if count} == {"completed"}


async def test_a_small_cluster_is_moved_with_its_work(tmp_path: Path) -> None:
    await is_moved(tmp_path, 300)


@pytest.mark.soak
async def test_a_large_cluster_is_moved_with_its_work(tmp_path: Path) -> None:
    await is_moved(tmp_path, 100_000)
