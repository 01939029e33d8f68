"""The plan of backups through a cluster in one loop: made when due, by who leads, noted whatever comes of it."""

import asyncio
import contextlib

import pytest

from clawactors.eventlog import Misconfigured
from clawactors.kernel.errors import Refused
from clawactors.runtime.control.backups import BackupKeeper
from clawactors.systems.backups import BackupPlan
from clawactors.systems.backups.commands import NoteBackup
from tests.clawactors.runtime.cluster import Cluster, WallClock

HOUR_S = 3600.0


class Maker:
    """Makes backups, or fails with the next of these reasons."""

    def __init__(self) -> None:
        self.plans: list[BackupPlan] = []
        self.reasons: list[str] = []

    async def __call__(self, plan: BackupPlan) -> NoteBackup:
        self.plans.append(plan)
        if self.reasons:
            raise Misconfigured(self.reasons.pop())
        return NoteBackup(
            file=f"{plan.folder}/{len(self.plans)}.tar", size_bytes=1, last_seq=1, seconds=0, planned=True
        )


async def test_backups_are_made_by_plan_until_it_is_stopped() -> None:
    clock, make, leads = WallClock(), Maker(), [True]
    async with Cluster(clock) as cluster:
        control = await cluster.control()
        keeper = BackupKeeper(control.dispatcher, lambda: leads[0], make, control.settings.live)
        backups = cluster.client().backups

        async def later(seconds: float) -> None:
            clock.move(seconds)
            await backups.note("/by-hand.tar", 1, 1, 1)  # the log has shown its time

        assert await keeper.check() is False
        await backups.plan("/backups", 2 * HOUR_S, copies=3)

        leads[0] = False
        assert await keeper.check() is False, "only who leads makes them"
        leads[0] = True
        assert await keeper.check() is True
        assert await keeper.check() is False, "the next is due in two hours"
        await later(2 * HOUR_S + 1)
        make.reasons.append("the disk is full")
        assert await keeper.check() is True
        noted = cluster.named("cluster", "backup")
        assert noted == ["backup.planned", "backup.made", "backup.made", "backup.failed"]
        assert await keeper.check() is False
        await later(HOUR_S / 12 + 1)
        assert await keeper.check() is True, "a failed one is tried again soon"

        await backups.stop()
        await later(2 * HOUR_S + 1)
        assert await keeper.check() is False
        assert make.plans == [BackupPlan(folder="/backups", every_s=2 * HOUR_S, copies=3)] * 3


async def test_the_plan_is_known_to_the_next_leader(cluster: Cluster) -> None:
    make = Maker()
    await cluster.control()
    await cluster.client().backups.plan("/backups", HOUR_S)
    name, main = next(iter(cluster.mains.items()))
    main.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await cluster.finish(name)
    second = await cluster.control("control-2")
    await cluster.until(lambda: second.leadership.leading)
    assert await BackupKeeper(second.dispatcher, lambda: True, make, second.settings.live).check() is True
    assert len(make.plans) == 1


async def test_one_that_somebody_made_is_noted(cluster: Cluster) -> None:
    await cluster.control()
    row = await cluster.client().backups.note("/mine.tar", 9, 7, 1.5)
    assert (row.last_file, row.last_bytes, row.last_seq, row.status) == ("/mine.tar", 9, 7, "not planned")


async def test_a_plan_that_makes_no_sense_is_refused(cluster: Cluster) -> None:
    await cluster.control()
    with pytest.raises(Refused, match="not a whole path"):
        await cluster.client().backups.plan("backups", HOUR_S)
