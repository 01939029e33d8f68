"""What goes wrong around parked tasks: many of them on a killed node, cancels again and again, undos that hang."""

import asyncio
from typing import Any

import pytest

from clawactors import Retry, Task, skill, step
from tests.clawactors.runtime import isolated
from tests.clawactors.runtime.cluster import Cluster, WallClock

NOW_S = 1_700_000_000.0
HOUR_S = 3600


async def quiet(text: str = "") -> str:
    return text


@pytest.mark.parametrize("many", [100, pytest.param(1000, marks=pytest.mark.soak)])
async def test_the_node_of_a_parent_is_killed_while_its_children_run(many: int) -> None:
    runs: list[int] = []
    go = asyncio.Event()

    @skill("held")
    async def held(task: Task, n: int) -> int:
        runs.append(n)
        await go.wait()
        return n

    @skill("parent")
    async def parent(task: Task, n: int) -> int:
        return sum(await asyncio.gather(*(task.run("held", {"n": each}) for each in range(n))))

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("c1", [held], slots=many)
        await cluster.node("p1", [parent])
        ref = await cluster.client().submit("parent", {"n": many}, id="t")
        await cluster.until(lambda: len(runs) == many, "all children run")
        await cluster.kill("node/p1")
        await cluster.node("p1", [parent])
        go.set()
        assert await ref.result(30) == sum(range(many))
        assert sorted(runs) == list(range(many))


async def test_a_second_cancel_while_the_code_cleans_up_changes_nothing() -> None:
    cleaning, go = asyncio.Event(), asyncio.Event()
    runs: list[str] = []

    async def release() -> str:
        runs.append("release")
        cleaning.set()
        await go.wait()
        return "released"

    @skill("cleans")
    async def cleans(task: Task) -> None:
        try:
            await task.sleep("1h")
        finally:
            await task.step("release", release)
            await task.step("after", quiet)

    async with Cluster(WallClock(NOW_S)) as cluster:
        await cluster.control()
        await cluster.node("n1", [cleans], slots=1)
        client = cluster.client()
        await client.submit("cleans", id="t")
        await cluster.until_status("t", "waiting")
        await client.cancel("t")
        await cleaning.wait()
        for _ in range(2):
            await client.cancel("t")
        go.set()
        task = await cluster.until_status("t", "cancelled")
        assert [each.name for each in task.journal.steps() if ":" not in each.name] == ["release", "after"]
        assert (runs, cluster.named("t").count("task.cancel_requested")) == (["release"], 1)


async def test_a_cancel_now_ends_code_that_cleans_up() -> None:
    cleaning = asyncio.Event()

    @skill("cleans")
    async def cleans(task: Task) -> None:
        try:
            await task.sleep("1h")
        finally:
            cleaning.set()
            await asyncio.Event().wait()

    async with Cluster(WallClock(NOW_S)) as cluster:
        await cluster.control()
        await cluster.node("n1", [cleans], slots=1)
        client = cluster.client()
        await client.submit("cleans", id="t")
        await cluster.until_status("t", "waiting")
        await client.cancel("t")
        await cleaning.wait()
        await client.cancel("t", now=True)
        await cluster.until_status("t", "cancelled")


undoing = asyncio.Event()


async def hang(_: Any) -> None:
    """An undo that never ends."""
    undoing.set()
    await asyncio.Event().wait()


async def unbook(_: Any) -> None:
    """An undo."""


@step(undo=hang)
async def sticky() -> None:
    """Can't be undone."""


@step(undo=unbook)
async def booked() -> None:
    """Can be undone."""


async def _books(task: Task) -> None:
    await booked(task)
    await sticky(task)
    raise ConnectionError("no")


@pytest.mark.parametrize("by_code", [False, True])
async def test_a_cancel_now_gives_up_an_undo_that_hangs_and_the_others_are_undone(by_code: bool) -> None:
    undoing.clear()

    async def code(task: Task) -> None:
        try:
            await _books(task)
        except ConnectionError:
            if by_code:
                await task.compensate()
            raise

    books = skill("books", on_failure="retry" if by_code else "compensate", retry=Retry(0))(code)
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [books])
        client = cluster.client()
        await client.submit("books", id="t")
        await undoing.wait()
        await client.cancel("t")  # one that is not `now` lets it have its time
        assert cluster.task("t").life.undo is not None
        await client.cancel("t", now=True)
        task = await cluster.until_status("t", "cancelled")
        entries = {each.name: each.status for each in task.journal.steps()}
        assert entries == {"booked": "compensated", "sticky": "undo_failed"}


async def test_isolated_code_that_is_parked_cleans_up_after_a_cancel() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [isolated.tidies], slots=1)
        client = cluster.client()
        await client.submit("tidies", id="t")
        await cluster.until(lambda: cluster.task("t").life.parked)
        await client.cancel("t")
        task = await cluster.until_status("t", "cancelled")
        assert task.journal.completed("tidy")
        assert task.life.tries == 1


@pytest.mark.parametrize("lost", [False, True])
async def test_a_cancel_reaches_a_task_whose_node_is_gone(lost: bool) -> None:
    """Also where nobody has noticed yet that the node is gone."""

    @skill("nap")
    async def nap(task: Task) -> None:
        await task.sleep("1h")

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [nap], lease_s=0.5)
        client = cluster.client()
        await client.submit("nap", id="t")
        await cluster.until_status("t", "waiting")
        await cluster.kill("node/n1")
        if lost:
            await cluster.until_event("n1", "node.lost", "node")
        await client.cancel("t")
        await cluster.until_status("t", "cancelled")


async def test_a_branch_is_cancelled_in_the_moment_in_which_its_task_is() -> None:
    @skill("both")
    async def both(task: Task) -> None:
        child = asyncio.create_task(task.run("nap", {}))
        nap = asyncio.create_task(task.sleep("1h"))
        try:
            await task.signal("stop")
            child.cancel()
            nap.cancel()
            await asyncio.gather(child, nap)
        finally:
            nap.cancel()
            child.cancel()

    @skill("nap")
    async def nap(task: Task) -> None:
        await task.sleep("2h")

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [both, nap])
        client = cluster.client()
        await client.submit("both", id="t")
        await cluster.until_status("t", "waiting")
        await asyncio.gather(client.signal("t", "stop"), client.cancel("t"))
        await cluster.until_status("t", "cancelled")
        children = {each.id for each in cluster.commits() if each.id not in ("", "t")}
        for child in children:
            await cluster.until_status(child, "cancelled")


async def test_a_limit_of_one_is_free_again_when_the_node_of_a_parked_task_is_killed() -> None:
    @skill("alone", concurrency=1)
    async def alone(task: Task) -> int:
        await task.step("before", quiet)
        await task.sleep(1.2)
        await task.step("after", quiet)
        return task.attempt

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [alone], lease_s=0.3)
        client = cluster.client()
        refs = [await client.submit("alone", id=f"t{n}") for n in range(3)]
        await cluster.until_status("t0", "waiting")
        await cluster.kill("node/n1")
        await cluster.node("n2", [alone])
        assert all([await ref.result(9) for ref in refs])
