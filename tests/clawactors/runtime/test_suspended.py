"""A deploy is no cancel: code that has to leave its node gets `TaskSuspended` wherever it awaits."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from clawactors import Task, TaskSuspended, skill
from clawactors.runtime.node.codecoroutine import CodeCoroutine
from clawactors.runtime.node.codetasks import CodeTasks
from tests.clawactors.runtime.cluster import Cluster


async def _own_await() -> None:
    await asyncio.Event().wait()


async def _in_gather() -> None:
    await asyncio.gather(asyncio.sleep(60), asyncio.Event().wait())


async def _in_group() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(60))


async def _within_timeout() -> None:
    async with asyncio.timeout(60):
        await asyncio.sleep(60)


async def _hangs() -> str:
    await asyncio.sleep(60)
    return "never"


async def noted(text: str) -> str:
    return text


@pytest.mark.parametrize("wait", [_own_await, _in_gather, _in_group, _within_timeout, None])
@pytest.mark.parametrize("returns", [False, True])
async def test_code_that_is_cut_off_at_its_own_await_is_suspended_and_not_cancelled(
    wait: Callable[[], Awaitable[None]] | None, returns: bool
) -> None:
    seen: list[str] = []

    @skill("works")
    async def works(task: Task) -> Any:
        await task.step("before", noted, "before")
        if task.attempt > 1:
            return "whole"
        try:
            if wait is None:
                await task.step("hangs", _hangs)
            else:
                await wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
        except TaskSuspended:
            seen.append("suspended")
        except BaseExceptionGroup as group:
            seen.append("suspended" if group.split(TaskSuspended)[1] is None else "other")
        try:
            await task.step("release", noted, "released")
        except TaskSuspended:
            seen.append("no step")
            if not returns:
                raise
        return "half"

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [works], grace_s=0.05)
        await cluster.client().submit("works", id="t")
        await cluster.until_event("t", "step.completed")
        cluster.nodes["n1"].stop()
        await cluster.finish("node/n1")
        assert seen == ["suspended", "no step"]
        assert cluster.named("t").count("step.completed") == 1
        await cluster.node("n2", [works])
        assert (await cluster.until_status("t", "completed")).life.result == "whole"


async def test_what_code_returns_that_was_suspended_at_its_next_step_is_no_result() -> None:
    go = asyncio.Event()

    @skill("stubborn")
    async def stubborn(task: Task) -> str:
        if task.attempt > 1:
            return "whole"
        await task.step("before", noted, "before")
        await go.wait()
        try:
            await task.step("next", noted, "next")
        except BaseException:
            return "half"
        return "?"

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [stubborn])
        await cluster.client().submit("stubborn", id="t")
        await cluster.until_event("t", "step.completed")
        cluster.nodes["n1"].stop()
        await cluster.until(lambda: not cluster.nodes["n1"]._slots.is_open)
        go.set()
        await cluster.finish("node/n1")
        await cluster.node("n2", [stubborn])
        assert (await cluster.until_status("t", "completed")).life.result == "whole"


async def test_a_cancel_stays_a_cancel() -> None:
    seen: list[str] = []

    @skill("works")
    async def works(task: Task) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            await task.step("release", noted, "released")
            raise

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [works])
        client = cluster.client()
        await client.submit("works", id="t")
        await cluster.until_status("t", "running")
        await client.cancel("t")
        assert (await cluster.until_status("t", "cancelled")).journal.completed("release")
        assert seen == ["cancelled"]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
async def test_a_branch_that_would_end_the_process_ends_its_task_only(error: BaseException) -> None:
    async def ends() -> None:
        await asyncio.sleep(0)
        raise error

    @skill("ends")
    async def ends_in_branch(task: Task) -> None:
        await asyncio.gather(ends(), asyncio.sleep(60))

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [ends_in_branch])
        await cluster.client().submit("ends", id="t", max_retries=0)
        task = await cluster.until_status("t", "failed", "dead")
        assert type(error).__name__ in getattr(task.life.error, "message", "")


async def test_a_task_of_a_run_looks_like_any_other() -> None:
    async def works() -> int:
        await asyncio.sleep(0)
        return 3

    run = CodeTasks(SimpleNamespace(on_tasks_changed=lambda: None))
    work = asyncio.get_running_loop().create_task(CodeCoroutine(works(), run))
    await asyncio.sleep(0)
    assert "works" in repr(work)
    assert [frame.f_code.co_name for frame in work.get_stack()] == ["works"]
    assert await work == 3
