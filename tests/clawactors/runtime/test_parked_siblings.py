"""A branch that awaits other branches of its run waits with them: the run parks."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from clawactors import Task, skill
from tests.clawactors.runtime.cluster import Cluster, WallClock

type Waits = Callable[["asyncio.Task[Any]", "asyncio.Task[Any]"], Awaitable[Any]]


async def _directly(first: "asyncio.Task[Any]", second: "asyncio.Task[Any]") -> None:
    await first
    await second


async def _gathered(first: "asyncio.Task[Any]", second: "asyncio.Task[Any]") -> None:
    await asyncio.gather(first, second)


async def _waited(first: "asyncio.Task[Any]", second: "asyncio.Task[Any]") -> None:
    done, _ = await asyncio.wait((first, second), return_when=asyncio.FIRST_COMPLETED)
    assert first in done
    await asyncio.wait((second,))


async def _completed(first: "asyncio.Task[Any]", second: "asyncio.Task[Any]") -> None:
    for each in asyncio.as_completed((first, second)):
        await each


@pytest.mark.parametrize("way", [_directly, _gathered, _waited, _completed])
async def test_a_branch_that_awaits_siblings_holds_no_slot(way: Waits) -> None:
    @skill("siblings")
    async def siblings(task: Task) -> int:
        first = asyncio.create_task(task.sleep("1h"))
        second = asyncio.create_task(task.sleep("2h"))
        third = asyncio.create_task(_call(way, first, second))
        await asyncio.gather(first, second, third)
        return task.attempt

    clock = WallClock(1_700_000_000.0)
    async with Cluster(clock) as cluster:
        await cluster.control()
        await cluster.node("n1", [siblings], slots=1)
        await cluster.client().submit("siblings", id="t")
        await cluster.until_status("t", "waiting")
        clock.move(3600)
        await cluster.until(lambda: cluster.named("t").count("task.waiting") == 2)
        clock.move(3600)
        task = await cluster.until_status("t", "completed")
        assert (task.life.tries, task.life.wakes) == (1, 2)


async def _call(way: Waits, first: "asyncio.Task[Any]", second: "asyncio.Task[Any]") -> None:
    await way(first, second)


async def test_a_group_that_a_sibling_fills_holds_no_slot() -> None:
    @skill("fills")
    async def fills(task: Task) -> int:
        made: asyncio.Future[asyncio.TaskGroup] = asyncio.get_running_loop().create_future()

        async def owns() -> None:
            async with asyncio.TaskGroup() as group:
                made.set_result(group)
                await asyncio.sleep(0.01)

        async def fill() -> None:
            (await made).create_task(task.sleep("1h"))

        await asyncio.gather(owns(), fill())
        return task.attempt

    clock = WallClock(1_700_000_000.0)
    async with Cluster(clock) as cluster:
        await cluster.control()
        await cluster.node("n1", [fills], slots=1)
        await cluster.client().submit("fills", id="t")
        await cluster.until_status("t", "waiting")
        clock.move(3600)
        assert (await cluster.until_status("t", "completed")).life.tries == 1


@pytest.mark.parametrize("way", [_directly, _waited])
async def test_a_branch_that_awaits_what_is_not_of_the_run_keeps_the_slot(way: Waits) -> None:
    outside: list[Any] = []

    @skill("mixed")
    async def mixed(task: Task) -> None:
        future = asyncio.get_running_loop().create_future()
        outside.append(future)
        nap = asyncio.create_task(task.sleep("1h"))
        await asyncio.gather(nap, _call(way, future, nap))

    clock = WallClock(1_700_000_000.0)
    async with Cluster(clock) as cluster:
        await cluster.control()
        await cluster.node("n1", [mixed], slots=1)
        await cluster.client().submit("mixed", id="t")
        await cluster.until(lambda: "step.completed" in cluster.named("t"))
        assert cluster.task("t").life.status == "running"
        outside[0].set_result(None)
        await cluster.until_status("t", "waiting")
