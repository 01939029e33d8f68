"""A whole cluster in one loop whose clocks are an hour apart: no timer is early, none is late by it (ADR 78)."""

from collections.abc import AsyncIterator

import pytest

from clawactors.runtime.logtime import HOLD_S
from clawactors.systems.skills import skill
from tests.clawactors.runtime.cluster import Cluster, WallClock, all_turns

NOW_S = 1_700_000_000.0


class Clocks(WallClock):
    """That of the machine; the server's is ahead of it by `server_ahead_s`."""

    server_ahead_s = 0.0

    def server_ns(self) -> int:
        return int((self.now_s + self.server_ahead_s) * 1e9)


@skill("nap")
async def nap(task: object) -> str:
    await task.sleep("5s")  # type: ignore[attr-defined]
    return "awake"


class World:
    """A control process, a node and a client; records and timers of the server go by its own clock."""

    def __init__(self) -> None:
        self.clock = Clocks(NOW_S)
        self.cluster = Cluster(self.clock)
        self.cluster.log.clock = self.clock.server_ns
        self.cluster.timers._now_ns = self.clock.server_ns

    async def pass_s(self, seconds: float) -> None:
        """Lets so much time pass; control measures whatever it likes to."""
        until_s = self.clock.now_s + seconds
        while (left_s := until_s - self.clock.now_s) > 0:
            self.clock.move(min(5.0, left_s))
            for control in self.cluster.controls.values():
                await control._time.measure()
                control.timers.tick()
            await all_turns()

    def named(self, id: str) -> list[str]:
        return self.cluster.named(id)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    async with world.cluster as cluster:
        await cluster.control()
        await cluster.node("n1", [nap])
        yield world


@pytest.mark.parametrize("ahead_s", [3600, -3600])
@pytest.mark.parametrize("records", [1, 100])
async def test_a_server_an_hour_off_makes_no_timer_early_and_none_late(
    world: World, ahead_s: float, records: int
) -> None:
    """For one record, or as of now; another server of three begins to lead, say."""
    client = world.cluster.client()
    world.clock.server_ahead_s = ahead_s
    await client.submit("nap", id="late", delay_s=1800)
    await client.submit("nap", id="nap")
    if records == 1:
        world.clock.server_ahead_s = 0
    await world.cluster.until_status("nap", "waiting")
    assert world.cluster.task("nap").life.until_ns == int((NOW_S + 5) * 1e9), "it is not by the clock of the server"
    await world.pass_s(4.9)
    assert world.cluster.task("nap").life.status == "waiting"
    await world.pass_s(0.2)
    await world.cluster.until_status("nap", "completed")
    await world.pass_s(1700)
    assert world.named("late") == ["task.submitted"]
    await world.pass_s(100)
    await world.cluster.until_status("late", "waiting")
    await world.pass_s(5.1)
    await world.cluster.until_status("late", "completed")


async def test_after_a_jump_of_all_clocks_forward_and_back_a_sleep_takes_what_it_takes(world: World) -> None:
    client = world.cluster.client()
    control = next(iter(world.cluster.controls.values()))
    for jump_s in (3600.0, -3600.0):
        world.clock.move(0)
        was_ns = control.context.time.now_ns()
        elapsed = world.clock.elapsed_ns
        world.clock.now_s += jump_s
        world.clock.elapsed_ns = lambda elapsed=elapsed, jump_s=jump_s: elapsed() - int(jump_s * 1e9)  # type: ignore[method-assign]
        await world.pass_s(HOLD_S - 5)
        assert abs(control.context.time.now_ns() - was_ns - (HOLD_S - 5) * 1e9) < 1e9, "it is not believed at once"
        await world.pass_s(15)
        assert abs(control.context.time.now_ns() - world.clock.now_ns()) < 1e9
        for node in world.cluster.nodes.values():
            time = node.context.time
            time.follow(control.context.time.now_ns(), time.asking())
        ref = await client.submit("nap", id=f"nap{jump_s:.0f}".replace("-", "m"))
        await world.cluster.until_status(ref.id, "waiting")
        await world.pass_s(5.1)
        await world.cluster.until_status(ref.id, "completed")


async def test_a_control_process_that_starts_takes_the_time_from_one_that_runs(world: World) -> None:
    world.clock.server_ahead_s = 3600
    second = await world.cluster.control()
    await all_turns()
    assert abs(second.context.time.now_ns() - world.clock.now_ns()) < 1e9


async def test_a_node_and_a_client_with_wrong_clocks_go_by_that_of_control(world: World) -> None:
    clock, world.cluster.clock = world.clock, Clocks(NOW_S - 7200)
    node = await world.cluster.node("n2", [nap])
    client = world.cluster.client()
    world.cluster.clock = clock
    assert node.context.time.now_ns() == clock.now_ns()
    assert await client.now_ns() == clock.now_ns()
