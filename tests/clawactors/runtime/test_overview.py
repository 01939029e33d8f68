"""`overview()`: the cluster at a glance, from the cluster that tests hold."""

import asyncio

import msgspec
import pytest

from clawactors import InvalidQuery, TaskFailed, skill
from clawactors.runtime.client.overview import Overview
from clawactors.testing import Cluster


@skill("nap")
async def nap(task: object, wrong: bool = False) -> str:
    if wrong:
        raise OSError("the disk is away")
    await asyncio.sleep(0)
    return "rested"


async def test_rates_queue_errors_and_series_are_of_what_happened_lately() -> None:
    async with Cluster(skills=[nap]) as cluster:
        claw = cluster.client
        await cluster.sleep(11)
        for _ in range(4):
            await claw.run("nap")
        with pytest.raises(TaskFailed):
            await claw.run("nap", {"wrong": True}, max_retries=0)
        await claw.submit("nobody-has-it")
        await cluster.sleep(5)
        now = await claw.overview(window_s=10, series_s=30)
        assert 9 <= now.window_s <= 10
        assert now.rates.submitted == pytest.approx(6 / now.window_s, rel=0.01)
        assert now.rates.completed == pytest.approx(4 / now.window_s, rel=0.01)
        assert (now.took.runs, sum(now.errors.values())) == (4, 1)
        assert (now.queue.pending, now.queue.slots, now.queue.given) == (1, 5, 0)
        assert now.queue.longest_s >= 5
        assert now.series is not None
        assert (len(now.series.submitted), sum(now.series.submitted), sum(now.series.completed)) == (30, 6, 4)
        assert now.tasks["completed"] == 4
        assert now.projection.lag == 0
        again = msgspec.json.decode(msgspec.json.encode(now), type=Overview)
        assert again == now
        await cluster.sleep(11)
        later = await claw.overview(window_s=10)
        assert (later.rates.submitted, later.took.runs, later.errors, later.series) == (0, 0, {}, None)


async def test_it_says_how_far_back_it_knows_and_refuses_more() -> None:
    async with Cluster() as cluster:
        await cluster.sleep(11)
        await cluster.restart_control()
        await cluster.sleep(3)
        assert (await cluster.client.overview()).window_s < 10
        for wrong in (0, 301, -1):
            with pytest.raises(InvalidQuery, match="1 to 300 s"):
                await cluster.client.overview(window_s=wrong)
        with pytest.raises(InvalidQuery):
            await cluster.client.overview(window_s="soon")  # type: ignore[arg-type]
