"""Durable sleep: decided once, slot free meanwhile, resumed without sleeping anew."""

import asyncio
from typing import Any

import pytest

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.sleep import seconds_of, until_of, written
from clawactors.systems.skills import skill
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from tests.clawactors.runtime.cluster import Cluster, ManualClock, Stage, WallClock

NOW_S = 1_700_000_000.0
WEEK_S = 7 * 86_400


@skill("echo")
async def echo(task: Any, text: str = "") -> str:
    return text


async def nothing() -> str:
    return "done"


@skill("nap")
async def nap(task: Any, duration: str = "7d") -> list[int]:
    first = task.attempt
    await task.step("before", nothing)
    await task.sleep(duration)
    await task.step("after", nothing)
    return [first, task.attempt]


@skill("sync-nap")
def sync_nap(task: Any) -> int:
    task.step("before", lambda: 1)
    task.sleep("7d")
    task.sleep(86_400)
    attempt: int = task.attempt
    return attempt


def sleeps(cluster: Cluster, id: str) -> list[e.Waiting]:
    return [event for event in cluster.events(id) if isinstance(event, e.Waiting)]


async def test_a_sleep_frees_the_slot_and_goes_on_behind_itself() -> None:
    clock = WallClock(NOW_S)
    async with Cluster(clock) as cluster:
        await cluster.control()
        await cluster.node("n1", [nap, echo], slots=1)
        await cluster.client().submit("nap", id="t")
        task = await cluster.until_status("t", "waiting")
        assert (task.life.waiting_for, task.life.until_ns) == ("timer", int((NOW_S + WEEK_S) * 1e9))
        await cluster.client().submit("echo", id="u")  # the only slot is free
        await cluster.until_status("u", "completed")
        clock.move(WEEK_S)
        task = await cluster.until_status("t", "completed")
        assert (task.life.result, task.life.tries) == ([1, 1], 1)  # the code went on in place
        assert cluster.named("t").count("task.waiting") == 1
        assert [step.name for step in task.journal.steps()] == ["before", "sleep:1", "after"]


async def test_it_goes_on_at_another_node_when_its_own_is_gone() -> None:
    clock = ManualClock(NOW_S)
    async with Cluster(clock) as cluster:
        await cluster.control()
        await cluster.node("n1", [nap])
        await cluster.client().submit("nap", id="t")
        await cluster.until_status("t", "waiting")
        cluster.nodes["n1"].stop()
        await cluster.finish("node/n1")
        await cluster.kill("control/1")
        clock.move(WEEK_S + 1)
        await cluster.node("n2", [nap])
        await cluster.control()
        await cluster.until_status("t", "completed")


async def test_a_resume_does_not_sleep_anew_but_until_what_is_on_record() -> None:
    clock = WallClock(NOW_S)
    async with Stage(clock) as cluster:
        await cluster.control()
        await cluster.node("n1", [nap])
        client = cluster.client()
        await client.submit("nap", id="t")
        until_ns = (await cluster.until_status("t", "waiting")).life.until_ns
        clock.move(86_400)
        # somebody lets it go early, through a block and back: it sleeps on, until the same moment
        await cluster.tell("t", c.Block("look at me"))
        await cluster.tell("t", c.Unblock())
        await cluster.until(lambda: len(sleeps(cluster, "t")) == 2)
        assert {event.until_ns for event in sleeps(cluster, "t")} == {until_ns}
        clock.move(6 * 86_400)
        await cluster.until_status("t", "completed")


async def test_sync_code_sleeps_as_well_and_more_than_once() -> None:
    clock = WallClock(NOW_S)
    async with Cluster(clock) as cluster:
        await cluster.control()
        await cluster.node("n1", [sync_nap])
        await cluster.client().submit("sync-nap", id="t")
        await cluster.until_status("t", "waiting")
        clock.move(WEEK_S)
        await cluster.until(lambda: len(sleeps(cluster, "t")) == 2)
        clock.move(86_400)
        task = await cluster.until_status("t", "completed")
        assert task.life.result == 1


async def test_a_sleeping_task_can_be_cancelled() -> None:
    async with Cluster(WallClock(NOW_S)) as cluster:
        await cluster.control()
        await cluster.node("n1", [nap])
        client = cluster.client()
        await client.submit("nap", id="t")
        await cluster.until_status("t", "waiting")
        await client.cancel("t")
        await cluster.until_status("t", "cancelled")


@pytest.mark.parametrize(
    "duration", ["-5s", "5", "soon", "", "200000d", -1, float("nan"), float("inf"), 1e12, True, None]
)
async def test_what_is_no_duration_is_refused(duration: object) -> None:
    with pytest.raises(Refused):
        seconds_of(duration)


async def test_a_wrong_sleep_fails_the_task_with_a_clear_sentence() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [nap])
        await cluster.client().submit("nap", {"duration": "a week"}, id="t")
        task = await cluster.until_status("t", "failed")
        assert task.life.error is not None
        assert "'a week' is not a valid duration: write 30s, 5m, 2h or 7d" in task.life.error.message


async def test_a_short_sleep_stays_in_place() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [nap])
        await cluster.client().submit("nap", {"duration": "10ms"}, id="t")
        task = await cluster.until_status("t", "completed")
        assert task.life.attempt == 1
        assert "task.waiting" not in cluster.named("t")


async def test_no_step_may_be_called_as_a_sleep_is() -> None:
    @skill("thief")
    async def thief(task: Any) -> None:
        await task.step("sleep:1", nothing)

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [thief])
        await cluster.client().submit("thief", id="t")
        task = await cluster.until_status("t", "failed")
        assert task.life.error is not None
        assert "choose another" in task.life.error.message


def test_the_record_of_a_sleep_is_never_before_its_end() -> None:
    for until_ns in (1_700_000_000_000_000_001, 1_700_000_000_000_000_999, 1_700_000_000_000_001_000):
        assert 0 <= until_of(written(until_ns)) - until_ns < 1000


# Signs of life


async def test_progress_and_heartbeats_keep_a_long_step_alive() -> None:
    clock = WallClock(NOW_S)
    go, beat = asyncio.Event(), asyncio.Event()

    @skill("long")
    async def long(task: Any) -> int:
        await beat.wait()
        task.heartbeat()
        await go.wait()
        attempt: int = task.attempt
        return attempt

    async with Cluster(clock) as cluster:
        control = await cluster.control()
        await cluster.node("n1", [long, echo])
        client = cluster.client()
        await client.submit("long", id="t")
        await cluster.until_status("t", "running")
        clock.move(800)
        heard = asyncio.Event()
        await cluster.requests.subscribe("claw.alive.n1.t", lambda subject, body: heard.set())
        await client.submit("echo", id="a")
        await cluster.until_status("a", "completed")
        beat.set()
        async with asyncio.timeout(5):
            await heard.wait()
        clock.move(800)
        await client.submit("echo", id="b")
        await cluster.until_status("b", "completed")
        assert control.state.silence.next_check_ns() is not None
        go.set()
        task = await cluster.until_status("t", "completed")
        assert task.life.result == 1
