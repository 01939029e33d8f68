"""Branches that wait for signals of one name: the first that waits gets the first, also after a resume."""

import asyncio
from typing import Any

import pytest

from clawactors import SyncTask, Task, skill
from tests.clawactors.runtime.cluster import Cluster, WallClock

NOW_S = 1_700_000_000.0
HOUR_S = 3600


async def _ended(cluster: Cluster, id: str, *numbers: int) -> Any:
    client = cluster.client()
    for number in numbers:
        await client.signal(id, "go", number)
    return (await cluster.until_status(id, "completed")).life.result


@skill("two")
async def two(task: Task) -> list[Any]:
    async def late() -> Any:
        await asyncio.sleep(0.02)
        return await task.signal("go")

    return await asyncio.gather(late(), task.signal("go"))


async def test_the_branch_that_waits_first_gets_the_first() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [two])
        await cluster.client().submit("two", id="t")
        await cluster.until_status("t", "waiting")
        assert await _ended(cluster, "t", 1, 2) == [2, 1]


@pytest.mark.parametrize("way", ["own timeout", "timeout", "cancel"])
async def test_who_gives_up_lets_the_next_have_its_turn(way: str) -> None:
    @skill("gives-up")
    async def gives_up(task: Task) -> list[Any]:
        async def first() -> Any:
            try:
                if way == "own timeout":
                    return await task.signal("go", timeout=1)
                async with asyncio.timeout(0.3):
                    return await task.signal("go")
            except TimeoutError:
                return "gave up"

        waiting = asyncio.create_task(first())
        await asyncio.sleep(0)
        second = asyncio.create_task(task.signal("go"))
        if way == "cancel":
            await asyncio.sleep(0.01)
            waiting.cancel()
        found = await asyncio.gather(waiting, second, return_exceptions=True)
        return ["gave up" if isinstance(each, asyncio.CancelledError) else each for each in found]

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [gives_up])
        await cluster.client().submit("gives-up", id="t")
        if way == "own timeout":
            await cluster.until(lambda: any(name.endswith(":over") for name in _steps(cluster, "t")))
        else:
            await asyncio.sleep(0.4)
        assert await _ended(cluster, "t", 1) == ["gave up", 1]


def _steps(cluster: Cluster, id: str) -> list[str]:
    return [step.name for step in cluster.task(id).journal.steps()]


async def test_after_a_resume_each_branch_has_the_signals_that_it_had() -> None:
    """The order in which the branches come to their waits is another one in each attempt."""

    @skill("resumes")
    async def resumes(task: Task) -> list[list[Any]]:
        async def branch(turns: int, count: int) -> list[Any]:
            for _ in range(turns if task.attempt == 1 else 10 - turns):
                await asyncio.sleep(0)
            return [await task.signal("go") for _ in range(count)]

        return await asyncio.gather(branch(1, 2), branch(5, 2), branch(9, 1))

    clock = WallClock(NOW_S)
    async with Cluster(clock) as cluster:
        await cluster.control()
        await cluster.node("n1", [resumes])
        client = cluster.client()
        await client.submit("resumes", id="t")
        await cluster.until_status("t", "waiting")
        for number in range(3):
            await client.signal("t", "go", number)
            await cluster.until(lambda number=number: cluster.named("t").count("task.waiting") == number + 2)
        cluster.nodes["n1"].stop()
        await cluster.finish("node/n1")
        await cluster.node("n2", [resumes])
        found = await _ended(cluster, "t", 3, 4)
        assert [first[0] for first in found] == [0, 1, 2]
        assert sorted(each for some in found for each in some) == [0, 1, 2, 3, 4]


async def test_one_branch_records_nothing_more() -> None:
    @skill("one")
    async def one(task: Task) -> list[Any]:
        return [await task.signal("go") for _ in range(3)]

    @skill("one-in-thread")
    def in_thread(task: SyncTask) -> list[Any]:
        return [task.signal("go") for _ in range(3)]

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [one, in_thread])
        for id, name in (("t", "one"), ("u", "one-in-thread")):
            await cluster.client().submit(name, id=id)
            assert await _ended(cluster, id, 1, 2, 3) == [1, 2, 3]
            assert _steps(cluster, id) == []
