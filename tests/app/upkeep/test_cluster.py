"""A backup of a working cluster becomes another cluster that goes on with the work."""

import asyncio
import os
import random
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from clawactors.app.clusterplan import ClusterPlan
from clawactors.app.upkeep.backup import backup_files
from clawactors.app.upkeep.container import BackupReader
from clawactors.app.upkeep.restore import checked_backup
from tests.scenario.claw import Claw
from tests.scenario.system import SKILLS, System, running

pytestmark = pytest.mark.nats

PLAN = ClusterPlan(nodes=1, slots=4, skills=(SKILLS,))
SEEDS = 200


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


def killed(claw: Claw, after_s: float, *arguments: str) -> int:
    """Runs the command and kills it after that time; the exit code."""
    with claw.start(*arguments) as process:
        try:
            process.communicate(timeout=after_s)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        return process.returncode


@pytest.mark.soak
async def test_a_backup_that_is_killed_at_any_time_is_whole_or_not_there(tmp_path: Path) -> None:
    chance, whole = random.Random(13), 0
    folder = tmp_path / "backups"
    async with running(tmp_path, PLAN) as system:
        await system.ended(await system.submit(2000, "no-op"))
        for seed in range(SEEDS):
            code = await asyncio.to_thread(killed, system.claw, chance.uniform(0.5, 4), "backup", str(folder))
            for file in backup_files(folder):
                with BackupReader(file) as reader:
                    checked_backup(reader)
            there = len(backup_files(folder))
            assert there >= whole + (code == 0), f"seed {seed}: what was said to be made is there"
            whole = there
        assert (await system.run_claw("backup", str(folder))).code == 0
        assert len(os.listdir(folder)) == whole + 1, "what was left behind is gone"


@pytest.mark.soak
async def test_a_restore_that_is_killed_at_any_time_is_completed_by_the_next(tmp_path: Path) -> None:
    chance = random.Random(13)
    file, target = tmp_path / "one.tar", tmp_path / "new" / "data"
    target.parent.mkdir()
    async with running(tmp_path, PLAN) as system:
        await system.ended(await system.submit(2000, "no-op"))
        assert (await system.run_claw("backup", str(file))).code == 0
    claw = Claw(target)
    for seed in range(SEEDS):
        code = await asyncio.to_thread(killed, claw, chance.uniform(0.5, 6), "restore", str(file))
        if code and (target / "server").exists():
            up = await asyncio.to_thread(claw, "up", "--nodes", "0", "--detach")
            assert up.code == 4, f"seed {seed}: half a cluster does not start"
            assert "run claw restore again" in up.err
        done = await asyncio.to_thread(claw, "restore", str(file), "--json")
        if code == 0:
            assert done.code == 4, f"seed {seed}: what is whole is not written over"
        else:
            assert done.code == 0, f"seed {seed}: {done}"
        shutil.rmtree(target)
