"""Children and what happens again: retries of the parent and of children, pauses, large results, forks."""

import asyncio
from typing import Any

import pytest

from clawactors import Retry, Task, TaskFailed, skill
from clawactors.systems.tasks.children import CHILDREN
from tests.clawactors.runtime.cluster import Cluster
from tests.clawactors.runtime.test_children import children_of, double, gated, told

NO_WAIT = Retry(max_retries=3, wait_s=0.001)


async def test_a_retry_of_the_parent_does_not_run_its_completed_child_again() -> None:
    runs: list[int] = []

    @skill("counted")
    async def counted(task: Task, n: int) -> int:
        runs.append(n)
        return n

    @skill("flaky", retry=NO_WAIT)
    async def flaky(task: Task) -> int:
        found = await task.run(counted, {"n": 7})
        if task.attempt == 1:
            raise RuntimeError("once")
        return found + await task.run(counted, {"n": 8})

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [counted, flaky])
        assert await cluster.client().run("flaky", wait_s=8) == 15
        assert runs == [7, 8]


async def test_a_child_that_ends_while_its_parent_is_paused_is_told() -> None:
    @skill("one")
    async def one(task: Task) -> int:
        return await task.run(gated, {"n": 5})

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [gated, one])
        client = cluster.client()
        ref = await client.submit("one")
        await cluster.until(lambda: children_of(cluster, ref.id), "a child")
        (child,) = children_of(cluster, ref.id)
        await client.pause(ref.id)
        await client.signal(child, "go")
        await cluster.until(lambda: told(cluster, ref.id) == [child], "it is told")
        await client.resume(ref.id)
        assert await ref.result(8) == 5


async def test_after_the_retry_of_a_failed_child_and_then_of_its_parent_the_work_goes_on() -> None:
    broken = [True]

    @skill("mended")
    async def mended(task: Task) -> str:
        if broken[0]:
            raise ValueError("not yet")
        return "done"

    @skill("waits")
    async def waits(task: Task) -> list[Any]:
        return [await task.run(double, {"n": 1}), await task.run(mended)]

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [double, mended, waits])
        client = cluster.client()
        ref = await client.submit("waits")
        with pytest.raises(TaskFailed, match="claw retry c-"):
            await ref.result(8)
        (failed,) = [each for each in children_of(cluster, ref.id) if cluster.task(each).life.status == "failed"]
        broken[0] = False
        await client.retry(failed)
        await cluster.until_status(failed, "completed")
        await client.retry(ref.id)
        await cluster.until_status(ref.id, "completed")
        assert cluster.task(ref.id).life.result == [2, "done"]
        assert len(children_of(cluster, ref.id)) == 2


@pytest.mark.parametrize("size", [10, 5_000, 400_000])
async def test_results_of_any_size_come_back(size: int) -> None:
    @skill("sized")
    async def sized(task: Task, size: int) -> str:
        return "x" * size

    @skill("measure")
    async def measure(task: Task, size: int) -> int:
        return len(await task.run(sized, {"size": size}))

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [sized, measure])
        assert await cluster.client().run("measure", {"size": size}, wait_s=8) == size
        assert all(len(commit.record.body) < 2_000 for commit in cluster.commits() if CHILDREN in str(commit.events))


async def test_parameters_of_any_size_arrive() -> None:
    @skill("length")
    async def length(task: Task, text: str) -> int:
        return len(text)

    @skill("gives")
    async def gives(task: Task, size: int) -> int:
        return await task.run(length, {"text": "x" * size})

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [length, gives])
        for size in (10, 1_000_000):
            assert await cluster.client().run("gives", {"size": size}, wait_s=8) == size


async def test_code_that_asks_for_another_child_at_the_same_place_is_blocked_with_the_reason() -> None:
    asked = iter((1, 2))

    @skill("random", retry=NO_WAIT)
    async def random(task: Task) -> None:
        await task.submit(gated, {"n": next(asked)})
        raise RuntimeError("again")

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [gated, random])
        ref = await cluster.client().submit("random")
        reason = (await cluster.until_status(ref.id, "blocked")).life.blocked_reason
        assert "the journal does not fit the code" in reason
        assert "different parameters" in reason


async def test_a_child_of_a_task_group_that_fails_takes_its_siblings_with_it() -> None:
    @skill("group")
    async def group(task: Task) -> str:
        said = "all went well"
        try:
            async with asyncio.TaskGroup() as running:
                running.create_task(task.run(double, {"n": -1}))
                running.create_task(task.run(gated))
        except* TaskFailed as failed:
            said = str(failed.exceptions[0])
        return said

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [double, gated, group])
        ref = await cluster.client().submit("group")
        assert "-1 is negative" in await ref.result(8)
        for child in children_of(cluster, ref.id):
            await cluster.until_status(child, "failed", "cancelled")


async def test_sequences_side_by_side_find_their_own_children_whatever_was_faster_before() -> None:
    """Each branch of the code numbers its own children, so a retry never swaps what belongs to another."""
    pauses = {"a": 0.05, "b": 0.02, "c": 0.0}

    @skill("echo")
    async def echo(task: Task, text: str) -> str:
        return text

    @skill("sequences", retry=NO_WAIT)
    async def sequences(task: Task) -> list[str]:
        async def sequence(name: str) -> str:
            first = await task.run(echo, {"text": name})
            if task.attempt == 1:
                await asyncio.sleep(pauses[name])
            return await task.run(echo, {"text": f"{first}-2"})

        found = await asyncio.gather(*(sequence(name) for name in pauses))
        if task.attempt == 1:
            raise RuntimeError("again")
        return list(found)

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [echo, sequences])
        ref = await cluster.client().submit("sequences")
        assert await ref.result(8) == ["a-2", "b-2", "c-2"]
        assert len(children_of(cluster, ref.id)) == 6
