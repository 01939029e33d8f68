"""Timers through a whole cluster in one loop: the log wants them, the store fires them, the log says so once."""

import asyncio
from contextlib import aclosing

from clawactors.skills import skill
from tests.clawactors.runtime.cluster import PATIENCE_S, Cluster, ManualClock, WallClock

NOW_S = 1_700_000_000.0


@skill("echo")
async def echo(task: object, text: str = "") -> str:
    return text


def at(seconds: float) -> int:
    return int((NOW_S + seconds) * 1e9)


async def is_set(cluster: Cluster, kind: str, id: str) -> None:
    async with asyncio.timeout(PATIENCE_S), aclosing(cluster.timers.watch()) as watching:
        async for marks in watching:
            if any((mark.kind, mark.id) == (kind, id) for mark in marks):
                return


async def test_a_task_with_a_start_time_waits_for_it() -> None:
    clock = WallClock(NOW_S)
    async with Cluster(clock) as cluster:
        await cluster.control()
        await cluster.node("n1", [echo])
        ref = await cluster.client().submit("echo", id="t", not_before_ns=at(60))
        assert cluster.task("t").life.status == "waiting"
        clock.move(59.9)
        await cluster.client().submit("echo", id="u")
        await cluster.until_status("u", "completed")
        assert cluster.named("t") == ["task.submitted"]
        clock.move(0.2)
        await cluster.until_status("t", "completed")
        assert cluster.named("t").count("task.ready") == 1
        assert await ref.result(5) == ""


async def test_a_deadline_ends_an_open_task_with_class_timeout() -> None:
    clock = WallClock(NOW_S)
    async with Cluster(clock) as cluster:
        await cluster.control()
        await cluster.client().submit("nobody-has-it", id="t", deadline_ns=at(60))
        clock.move(61)
        task = await cluster.until_status("t", "failed")
        assert task.life.error is not None
        assert task.life.error.kind == "timeout"
        assert "deadline" in task.life.error.message


async def test_a_deadline_of_an_ended_task_is_quiet_and_taken_back() -> None:
    clock = WallClock(NOW_S)
    async with Cluster(clock) as cluster:
        await cluster.control()
        await cluster.node("n1", [echo])
        await cluster.client().submit("echo", id="t", deadline_ns=at(60))
        await cluster.until_status("t", "completed")
        before = cluster.named("t")
        clock.move(61)
        await cluster.client().submit("echo", id="u", not_before_ns=at(62))
        clock.move(2)
        await cluster.until_status("u", "completed")
        assert cluster.named("t") == before


async def test_a_timer_that_went_off_while_nobody_led_is_heard_by_the_next() -> None:
    clock = ManualClock(NOW_S)
    async with Cluster(clock) as cluster:
        await cluster.control("one")
        await cluster.client().submit("echo", id="t", not_before_ns=at(60))
        await is_set(cluster, "wait", "t")
        await cluster.kill("one")
        clock.move(120)
        await cluster.control("two")
        await cluster.node("n1", [echo])
        await cluster.until_status("t", "completed")
        assert cluster.named("t").count("task.ready") == 1


async def test_a_lost_store_of_timers_is_filled_again_from_the_log() -> None:
    clock = WallClock(NOW_S)
    async with Cluster(clock) as cluster:
        await cluster.client().submit("echo", id="t", not_before_ns=at(60))
        clock.move(120)  # nobody has ever set a timer, and its time is over
        await cluster.control()
        await cluster.node("n1", [echo])
        await cluster.until_status("t", "completed")


async def test_an_attempt_without_a_sign_of_life_is_interrupted_and_one_with_is_not() -> None:
    clock = WallClock(NOW_S)
    hold = asyncio.Event()

    @skill("hang")
    async def hang(task: object) -> str:
        if task.attempt == 1:  # type: ignore[attr-defined]
            await hold.wait()
        return "done"

    async with Cluster(clock) as cluster:
        await cluster.control(silence_s=900)
        await cluster.node("n1", [hang, echo])
        await cluster.client().submit("hang", id="t")
        await cluster.until_status("t", "running")
        clock.move(899)
        for name in ("a", "b"):
            await cluster.client().submit("echo", id=name)
            await cluster.until_status(name, "completed")
        assert cluster.task("t").life.status == "running"
        clock.move(2)
        await cluster.client().submit("echo", id="u")  # time is looked at with each event
        await cluster.until_event("t", "task.interrupted")
        await cluster.until_status("t", "completed")
        assert cluster.task("t").life.attempt == 2
