"""Two control processes at one server: the one that leads is killed, stopped and woken, and placing goes on."""

import asyncio
import contextlib
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from clawactors.app.cluster import ClusterSupervisor
from clawactors.app.clusterplan import ClusterPlan
from clawactors.eventlog.jetstream import Address
from tests.scenario.claw import Claw
from tests.scenario.system import SKILLS, System, are_gone, family, running, signal_pid, until

pytestmark = pytest.mark.nats

TAKEOVER_S = 15.0
"""A lease of 2 s, up to 1.3 s until the server forgets it, half a second until somebody asks; and a busy machine."""


class Rivals:
    """A cluster, a second control process that another `up --nats` started, and work that goes on all the time."""

    def __init__(self, system: System, second: ClusterSupervisor) -> None:
        self.system, self.second = system, second
        self.took_s: list[float] = []
        self._portion = 0

    async def leader(self) -> str:
        """Who appends; waits until somebody does."""
        found: list[str] = []

        async def one_leads() -> bool:
            with contextlib.suppress(Exception):
                found[:] = [name] if (name := await self.system.client.leader()) else []
            return bool(found)

        await until(one_leads, "somebody leads", TAKEOVER_S)
        return found[0]

    def pid(self, leader: str) -> int:
        """The control process of that name; 0 while it does not run."""
        cluster = self.system.cluster if leader == "control/control" else self.second
        return cluster.control.pid if cluster.control else 0

    async def signal_leader(self, number: signal.Signals) -> str:
        """Who got it: the one that leads now."""
        leader = await self.leader()
        await until(lambda: self.pid(leader) > 0, f"{leader} runs")
        signal_pid(self.pid(leader), number)
        return leader

    async def submit(self, tasks: int) -> None:
        """A part of the tasks."""
        self._portion += 1
        await self.system.submit(tasks, "work", f"task-{self._portion}-", steps=4, seconds=0.05)

    async def places(self) -> None:
        """Returns once a fresh task has been placed and run, and notes how long that took."""
        began_s = time.monotonic()
        self._portion += 1
        await self.system.ended(await self.system.submit(1, "no-op", f"probe-{self._portion}-"), TAKEOVER_S)
        self.took_s.append(round(time.monotonic() - began_s, 2))


@contextlib.asynccontextmanager
async def rivals(folder: Path) -> AsyncIterator[Rivals]:
    async with running(folder, ClusterPlan(nodes=2, slots=5, skills=(SKILLS,))) as system:
        second = ClusterSupervisor(folder / "second", ClusterPlan(nodes=0, address=Address.of(system.cluster.nats_url)))
        async with second:
            yield Rivals(system, second)


async def killed(two: Rivals) -> None:
    """The lead is killed; its supervisor starts it again."""
    await two.signal_leader(signal.SIGKILL)
    await two.submit(20)
    await two.places()


async def stopped(two: Rivals) -> None:
    """The lead stands still; the other one takes over, and keeps the lead when that one wakes."""
    sleeper = await two.signal_leader(signal.SIGSTOP)
    try:
        await two.submit(20)
        await two.places()
        assert (leader := await two.leader()) != sleeper
        for _ in range(3):  # whom a question reaches is chance
            await two.system.ask("status")
    finally:
        signal_pid(two.pid(sleeper), signal.SIGCONT)
    await two.submit(20)
    await two.places()
    assert await two.leader() == leader


async def stopped_while_a_node_dies(two: Rivals) -> None:
    """Nobody leads when the node goes; whoever takes over recovers its tasks."""
    await two.submit(40)
    sleeper = await two.signal_leader(signal.SIGSTOP)
    two.system.signal("n1", signal.SIGKILL)
    try:
        await two.places()
        await two.system.ended(two.system.submitted)
    finally:
        signal_pid(two.pid(sleeper), signal.SIGCONT)
    await two.places()


TROUBLES: tuple[Callable[[Rivals], Awaitable[None]], ...] = (stopped, killed, stopped_while_a_node_dies)


async def check(two: Rivals) -> None:
    """Nothing was lost, doubled or forgotten, and both keep the same views."""
    await two.system.ended(two.system.submitted)
    await two.system.audit()
    await two.system.replay_is_equal()
    second = await asyncio.to_thread(Claw(two.second.path), "--verify", "--json", module="replay")
    assert (second.code, second.answer["equal"]) == (0, True), second


async def test_another_takes_over_from_a_leader_that_is_killed_or_hangs(tmp_path: Path) -> None:
    async with rivals(tmp_path) as two:
        await two.submit(20)
        await stopped(two)
        await killed(two)
        await check(two)
        assert max(two.took_s) < TAKEOVER_S, two.took_s


@pytest.mark.soak
async def test_a_leader_that_stops_in_good_order_releases_its_lease_at_once(tmp_path: Path) -> None:
    async with rivals(tmp_path) as two:
        first = await two.leader()
        while first == "control/control":
            sleeper = await two.signal_leader(signal.SIGSTOP)
            await two.places()
            signal_pid(two.pid(sleeper), signal.SIGCONT)
            first = await two.leader()
        processes = family([two.pid(first)])
        await two.second.stop()
        assert are_gone(processes) == []
        await two.places()
        assert await two.leader() == "control/control"
        await two.system.audit()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(200, 203))
async def test_the_lease_passes_from_leader_to_leader(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    async with rivals(tmp_path) as two:
        for _ in range(20):
            await two.submit(50)
            await chance.choice(TROUBLES)(two)
        await check(two)
