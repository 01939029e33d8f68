"""Signals: buffered, durable, in order; waiting for one holds no slot."""

import asyncio
from typing import Any

import pytest

from clawactors import SyncTask, skill
from clawactors import Task as Handle
from clawactors.eventlog import Draft
from clawactors.kernel.errors import Refused
from clawactors.kernel.time import time_ns
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.submission import spec_of
from tests.clawactors.runtime.cluster import PATIENCE_S, Cluster, Stage, all_turns

STARTED = "task.started"


@skill("approval")
async def approval(task: Handle) -> list[Any]:
    return [await task.signal("approve"), await task.signal("other"), await task.signal("approve"), task.attempt]


@skill("approval")
def approval_in_thread(task: SyncTask) -> list[Any]:
    return [task.signal("approve"), task.signal("other"), task.signal("approve"), task.attempt]


@skill("echo")
async def echo(task: Handle) -> str:
    return "here"


async def quiet() -> str:
    return "done"


@pytest.mark.parametrize("code", [approval, approval_in_thread], ids=["async", "sync"])
async def test_signals_that_came_before_the_run_are_taken_in_order(stage: Stage, code: Any) -> None:
    await stage.tell("t", c.Submit(spec_of("approval")), c.Signal("approve", 1), c.Signal("approve", {"n": 2}))
    await stage.tell("t", c.Signal("other"))
    task = await stage.run(code)
    assert task.life.result == [1, None, {"n": 2}, 1]


@pytest.mark.parametrize("code", [approval, approval_in_thread], ids=["async", "sync"])
async def test_a_wait_frees_the_slot_and_goes_on_behind_what_is_done(code: Any) -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [code, echo], slots=1)
        client = cluster.client()
        await client.submit("approval", id="t")
        task = await cluster.until_status("t", "waiting")
        assert (task.life.waiting_for, task.life.waiting_name, task.life.node) == ("signal", "approve", "n1")
        await client.submit("echo", id="u")
        await cluster.until_status("u", "completed")
        await client.command("t", c.Signal("approve", "first"))
        await cluster.until(lambda: cluster.named("t").count("task.waiting") == 2)
        await client.command("t", c.Signal("approve", "second"))  # not what it waits for: kept
        assert cluster.task("t").life.status == "waiting"
        await client.command("t", c.Signal("other", 0))
        task = await cluster.until_status("t", "completed")
        assert task.life.result == ["first", 0, "second", 1]


async def test_a_signal_that_comes_in_a_moment_is_taken_in_place(stage: Stage) -> None:
    run = await stage.assign(approval)
    running = stage.begin(run)
    await stage.until_event("t", STARTED)
    for name in ("approve", "other", "approve"):
        await stage.tell("t", c.Signal(name, name))
        await stage.hear(run)
    async with asyncio.timeout(PATIENCE_S):
        await running
    assert stage.task("t").life.result == ["approve", "other", "approve", 1]
    assert "task.waiting" not in stage.named("t")


async def test_a_signal_that_comes_while_the_wait_is_being_written_is_not_lost(stage: Stage) -> None:
    """The node has not heard of it when it gives the slot back: the version tells."""

    @skill("approval")
    async def once(task: Handle) -> Any:
        return await task.signal("approve")

    appending, go_on = asyncio.Event(), asyncio.Event()
    stage.wire.hold = (b"task.waiting", appending, go_on)
    running = stage.begin(await stage.assign(once))
    async with asyncio.timeout(PATIENCE_S):
        await appending.wait()
    await stage.tell("t", c.Signal("approve", "just now"))
    go_on.set()
    async with asyncio.timeout(PATIENCE_S):
        await running
    assert stage.task("t").life.result == "just now"
    assert "task.waiting" not in stage.named("t")


async def test_a_resume_takes_the_same_signals_again(stage: Stage) -> None:
    taken: list[Any] = []

    @skill("approval")
    async def twice(task: Handle) -> list[Any]:
        taken.extend([await task.signal("go"), await task.signal("go")])
        if task.attempt == 1:
            raise RuntimeError("once more")
        return [*taken, await task.step("after", quiet)]

    await stage.tell("t", c.Submit(spec_of("approval")), *(c.Signal("go", n) for n in range(3)))
    await stage.run(twice)
    task = await stage.run(twice)
    assert task.life.result == [0, 1, 0, 1, "done"]


async def test_ten_thousand_signals_to_a_running_task_are_all_there(stage: Stage) -> None:
    @skill("busy")
    async def busy(task: Handle, n: int) -> int:
        total = 0
        for _ in range(n):
            total += await task.signal("go")
        return total

    count = 10_000
    run = await stage.assign(busy, {"n": count})
    running = stage.begin(run)
    await stage.until_event("t", STARTED)
    follower = await stage.log.follow(["claw.task.t.>"], after=run.assignment.version)

    async def hear() -> None:
        async for batch in follower:
            for record in batch:
                await run.observe(record)

    hearing = asyncio.create_task(hear())
    actor_commands = [c.Signal("go", n) for n in range(count)]
    for start in range(0, count, 500):
        await stage.tell("t", *actor_commands[start : start + 500])
    async with asyncio.timeout(6 * PATIENCE_S):
        await running
    hearing.cancel()
    await follower.aclose()
    task = stage.task("t")
    assert (task.life.status, task.life.result) == ("completed", sum(range(count)))


async def test_a_waiting_task_can_be_cancelled_paused_and_resumed() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [approval])
        client = cluster.client()
        await client.submit("approval", id="t")
        await cluster.until_status("t", "waiting")
        await client.command("t", c.Pause())
        await client.command("t", c.Signal("approve", 1))  # kept; nothing goes on while it is held
        assert cluster.task("t").life.status == "paused"
        await client.command("t", c.Resume())
        await client.command("t", c.Cancel())
        await cluster.until_status("t", "cancelled")
        with pytest.raises(Refused, match="can't take a signal"):
            await client.command("t", c.Signal("approve", 2))


@pytest.mark.parametrize("name", ["", "a\n", "x" * 257, 7])
async def test_what_is_no_name_of_a_signal_is_refused(stage: Stage, name: Any) -> None:
    @skill("odd")
    async def odd(task: Handle) -> None:
        await task.signal(name)

    error = (await stage.run(odd)).life.error
    assert error is not None
    assert "a signal is named by" in error.message


@pytest.mark.parametrize("name", ["signal:approve", "sleep:1"])
async def test_a_step_is_not_named_as_a_signal_or_a_sleep(stage: Stage, name: str) -> None:
    @skill("odd")
    async def odd(task: Handle) -> None:
        await task.step(name, quiet)

    error = (await stage.run(odd)).life.error
    assert error is not None
    assert "choose another" in error.message


async def test_killed_at_any_point_of_a_signal_the_task_still_gets_it() -> None:
    """The node dies before or after each append of a wait; the signal comes before or after that."""
    for point in ("before", "after"):
        for early in (True, False):
            async with Cluster() as cluster:
                await cluster.control()
                await cluster.node("n1", [approval])
                dies = asyncio.Event()

                def fault(at: str, draft: Draft, point: str = point, dies: asyncio.Event = dies) -> None:
                    if at == point and b"task.waiting" in draft.body:
                        dies.set()

                cluster.links["node/n1"].fault = fault
                client = cluster.client()
                await client.submit("approval", id="t")
                if early:
                    await client.command("t", c.Signal("other", 0))
                async with asyncio.timeout(PATIENCE_S):
                    await dies.wait()
                await cluster.kill("node/n1")
                await client.command("t", c.Signal("approve", 1))
                await cluster.node("n2", [approval])
                await client.command("t", c.Signal("approve", 2))
                if not early:
                    await client.command("t", c.Signal("other", 0))
                await all_turns()
                task = await cluster.until_status("t", "completed")
                assert task.life.result[:3] == [1, 0, 2]


# With an end


@skill("patient")
async def patient(task: Handle, limit: float | str) -> list[Any]:
    got: list[Any] = []
    for _ in range(2):
        try:
            got.append(await task.signal("go", timeout=limit))
        except TimeoutError as error:
            got.append(str(error))
    return [*got, await task.signal("go"), task.attempt]


@skill("patient")
def patient_in_thread(task: SyncTask, limit: float | str) -> list[Any]:
    got: list[Any] = []
    for _ in range(2):
        try:
            got.append(task.signal("go", timeout=limit))
        except TimeoutError as error:
            got.append(str(error))
    return [*got, task.signal("go"), task.attempt]


@pytest.mark.parametrize("code", [patient, patient_in_thread], ids=["async", "sync"])
@pytest.mark.parametrize(("limit", "waits"), [(0.02, 1), ("300ms", 3)])
async def test_a_wait_that_was_in_vain_took_nothing(code: Any, limit: float | str, waits: int) -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [code])
        client = cluster.client()
        ref = await client.submit("patient", {"limit": limit}, id="t")
        await cluster.until(
            lambda: cluster.task("t").life.waiting_for == "signal" and cluster.task("t").life.until_ns == 0
        )
        await ref.signal("go", "late")
        text = f"no signal 'go' came within {limit}"
        assert (await ref.result(PATIENCE_S))[:3] == [text, text, "late"]
        assert cluster.named("t").count("task.waiting") == waits


async def test_a_signal_in_time_ends_the_wait_and_its_timer(cluster: Cluster) -> None:
    await cluster.control()
    await cluster.node("n1", [patient])
    ref = await cluster.client().submit("patient", {"limit": "1h"}, id="t")
    await cluster.until_status("t", "waiting")
    [until_ns] = [event.until_ns for event in cluster.events("t") if isinstance(event, e.Waiting)]
    for number in range(3):
        await ref.signal("go", number)
    assert (await ref.result(PATIENCE_S))[:3] == [0, 1, 2]
    [moment, *_] = [entry.result for entry in cluster.task("t").journal.steps()]
    assert time_ns(moment) == until_ns


async def test_the_end_of_a_wait_is_decided_once(stage: Stage) -> None:
    """A resume does not wait anew, and what was in vain stays so though the signal has come since."""
    taken: list[Any] = []

    @skill("patient")
    async def once(task: Handle) -> Any:
        for _ in range(2):
            try:
                taken.append(await task.signal("go", timeout=0.02))
            except TimeoutError:
                taken.append(None)
        if task.attempt == 1:
            raise RuntimeError("once more")
        return taken

    await stage.run(once)
    await stage.tell("t", c.Signal("go", "late"))
    task = await stage.run(once)
    assert task.life.result == [None, None, None, None]


@pytest.mark.parametrize("limit", [-1, float("nan"), "soon", True, 1e12])
async def test_what_is_no_time_to_wait_is_refused(stage: Stage, limit: Any) -> None:
    @skill("patient")
    async def asks(task: Handle) -> None:
        with pytest.raises(Refused, match=r"wait|duration"):
            await task.signal("go", timeout=limit)

    assert (await stage.run(asks)).life.status == "completed"
