"""Timers through a whole cluster in one loop: the log wants them, the store fires them, the log says so once."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from clawactors.kernel.errors import Refused
from clawactors.runtime.logtime import LogTime
from clawactors.systems.nodes.events import NodeJoined, Offer
from clawactors.systems.placement import ClusterState, Placement
from clawactors.systems.skills import skill
from clawactors.systems.tasks import TASK
from clawactors.systems.tasks import commands as tc
from clawactors.systems.tasks import events as te
from tests.clawactors.runtime.cluster import PATIENCE_S, Cluster, ManualClock, WallClock, all_turns

NOW_S = 1_700_000_000.0


@skill("echo")
async def echo(task: object, text: str = "") -> str:
    return text


class SetClock(WallClock):
    """The machine's clock is set, while no time passes."""

    def elapsed_ns(self) -> int:
        return 0


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
        await cluster.control()
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


async def test_a_task_whose_deadline_has_passed_already_does_not_begin() -> None:
    async with Cluster(WallClock(NOW_S)) as cluster:
        await cluster.control()
        await cluster.node("n1", [echo])
        await cluster.client().submit("echo", id="t", deadline_ns=at(-60))
        await cluster.until_status("t", "failed")
        assert cluster.named("t") == ["task.submitted", "task.expired"]


async def test_a_running_task_is_stopped_at_its_deadline() -> None:
    clock, stopped = WallClock(NOW_S), asyncio.Event()

    @skill("hang")
    async def hang(task: object) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async with Cluster(clock) as cluster:
        await cluster.control()
        await cluster.node("n1", [hang])
        await cluster.client().submit("hang", id="t", deadline_ns=at(60))
        await cluster.until_status("t", "running")
        clock.move(61)
        await cluster.until_status("t", "failed")
        async with asyncio.timeout(PATIENCE_S):
            await stopped.wait()


async def test_a_delay_is_reckoned_once_and_a_repeat_is_the_same_task() -> None:
    clock = WallClock(NOW_S)
    async with Cluster(clock) as cluster:
        client = cluster.client()
        await client.submit("echo", id="t", delay_s=60)
        clock.move(10)
        await client.submit("echo", id="t", delay_s=60)
        assert cluster.named("t") == ["task.submitted"]
        task = cluster.task("t")
        assert task.spec is not None
        assert task.spec.not_before_ns == at(60)
        with pytest.raises(Refused, match="exists with different parameters"):
            await client.submit("echo", {"text": "x"}, id="t", delay_s=60)


@pytest.mark.parametrize("delay_s", [-1, float("nan"), float("inf"), 1e12, "5", True])
async def test_what_is_no_delay_is_refused(delay_s: Any) -> None:
    async with Cluster() as cluster:
        with pytest.raises(Refused, match="a delay is a number of seconds"):
            await cluster.client().submit("echo", delay_s=delay_s)
        with pytest.raises(Refused, match="not both"):
            await cluster.client().submit("echo", delay_s=1, not_before_ns=5)
        with pytest.raises(Refused, match="deadline comes before"):
            await cluster.client().submit("echo", delay_s=60, deadline_ns=5)


async def test_an_attempt_far_beyond_its_timeout_is_taken_from_its_node() -> None:
    placement = Placement(ClusterState(silence_s=1e6))
    placement.state.apply_node(
        "n1", 1, [NodeJoined(incarnation="i1", slots=1, offers=(Offer("hang", timeout_s=100),))], at(0)
    )
    placement.state.apply_task("t", 2, [te.Submitted(skill="hang")], at(0))
    [order] = placement.orders(at(0))
    placement.state.apply_task("t", 3, TASK.decide(order.command, order.task), at(1))
    placement.state.apply_task("t", 4, [te.Started()], at(2))
    assert placement.orders(at(2 + 179)) == []
    [order] = placement.orders(at(2 + 181))
    assert isinstance(order.command, tc.Interrupt)
    assert "far beyond its timeout of 100 s" in order.command.reason
    assert order.to == "n1"


async def test_a_clock_that_jumps_in_the_control_process_interrupts_nobody_and_fires_nothing() -> None:
    placement = Placement(ClusterState())
    placement.state.apply_node("n1", 1, [NodeJoined(incarnation="i1", slots=1, offers=(Offer("hang"),))], at(0))
    placement.state.apply_task("t", 2, [te.Submitted(skill="hang")], at(0))
    placement.state.apply_task("u", 3, [te.Submitted(skill="hang", not_before_ns=at(3600))], at(0))
    orders = placement.orders(at(0))
    placement.state.apply_task("t", 4, TASK.decide(orders[0].command, orders[0].task), at(1))
    placement.state.apply_task("t", 5, [te.Started()], at(2))
    clock = SetClock(NOW_S)
    time = LogTime(clock)
    time.follow(at(2), time.asking())
    clock.move(86_400)  # but no time has passed
    assert placement.orders(time.now_ns()) == []


async def test_a_new_leader_interrupts_nobody_for_signs_of_life_that_it_did_not_hear() -> None:
    """A long step shows that it lives; control was away for some of it."""

    @skill("hang")
    async def hang(task: object) -> None:
        await asyncio.Event().wait()

    clock = WallClock(NOW_S)
    async with Cluster(clock) as cluster:
        await cluster.control("control/a")
        await cluster.node("n1", [hang])
        await cluster.client().submit("hang", id="t")
        await cluster.until_status("t", "running")
        await cluster.kill("control/a")
        cluster.leases = type(cluster.leases)(cluster.clock.monotonic_s)
        clock.move(3600)
        heir = await cluster.control("control/b")
        await cluster.until(lambda: heir.leadership.leading, "another leads")
        await all_turns()
        assert cluster.named("t") == ["task.submitted", "task.scheduled", "task.started"]
        assert heir.placement.orders(heir.context.time.now_ns()) == []
        now_ns = heir.context.time.now_ns()
        assert heir.placement.orders(now_ns + 899 * 10**9) == []
        [order] = heir.placement.orders(now_ns + 901 * 10**9)
        assert isinstance(order.command, tc.Interrupt)
