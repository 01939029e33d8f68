"""A server that goes away while work runs, and connections that are cut again and again: nothing lost or done twice."""

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from clawactors.app.clusterplan import ClusterPlan
from clawactors.eventlog.jetstream import Address
from clawactors.systems.nodes import events as ne
from tests.proxy import Proxy
from tests.scenario.system import SKILLS, System, running, until
from tests.servers import NatsServer

pytestmark = pytest.mark.nats

SEED = 20
LONGEST_SUBMIT_S = 20.0
"""Shorter than a client goes on with a submit in doubt."""


def steps_run(system: System) -> int:
    """How many steps have begun so far, as the skills say themselves."""
    return system.trace.read_text().count("\n") if system.trace.exists() else 0


async def all_is_well(system: System, ids: list[str]) -> None:
    """All tasks are completed; log, traces and views say the same."""
    await system.ended(ids)
    audit = await system.audit()
    assert {audit.tasks[id].life.status for id in ids} == {"completed"}
    await system.replay_is_equal()


@pytest.mark.parametrize(
    ("away_s", "hangs"),
    [
        (3, False),
        *(
            pytest.param(away_s, hangs, marks=pytest.mark.soak)
            for away_s, hangs in ((3, True), (10, False), (10, True), (120, False), (120, True))
        ),
    ],
    ids=lambda value: {False: "killed", True: "hangs"}[value] if isinstance(value, bool) else str(value),
)
async def test_work_goes_on_when_the_server_is_back(
    own_server: Callable[..., NatsServer], tmp_path: Path, away_s: int, hangs: bool
) -> None:
    server = own_server()
    async with running(
        tmp_path, ClusterPlan(nodes=2, slots=10, skills=(SKILLS,), address=Address.of(server.url()))
    ) as system:
        processes = system.cluster.run.pids
        ids = await system.submit(60, steps=6, seconds=0.1)
        await until(lambda: steps_run(system) >= 40, "work is well under way")
        during: asyncio.Task[list[str]] | None = None
        if hangs:
            server.signal(signal.SIGSTOP)
        else:
            server.kill()
        if away_s < LONGEST_SUBMIT_S:
            during = asyncio.create_task(system.submit(10, prefix="during"))
        await asyncio.sleep(away_s)
        if hangs:
            server.signal(signal.SIGCONT)
        else:
            await server.restart()
        ids += await system.submit(10, prefix="after")
        if during is not None:
            ids += await during
        await all_is_well(system, ids)
        assert system.cluster.run.pids == processes, "none of its processes had to be started again"


async def test_a_server_that_hangs_for_three_seconds_costs_no_node_and_no_step(
    own_server: Callable[..., NatsServer], tmp_path: Path
) -> None:
    server = own_server()
    async with running(
        tmp_path, ClusterPlan(nodes=2, slots=5, skills=(SKILLS,), address=Address.of(server.url()))
    ) as system:
        processes = system.cluster.run.pids
        ids = await system.submit(20, steps=20, seconds=0.1)
        await until(lambda: steps_run(system) >= 40, "work is well under way")
        server.signal(signal.SIGSTOP)
        during = asyncio.create_task(system.submit(10, prefix="during"))
        await asyncio.sleep(3)  # it is about this time: leases last for 1.5 s
        server.signal(signal.SIGCONT)
        await all_is_well(system, [*ids, *await during])
        assert system.cluster.run.pids == processes, "none of its processes had to be started again"
        lost = [event async for event in node_events(system) if isinstance(event, ne.NodeLost)]
        assert lost == []
        traced = [line.split() for line in system.trace.read_text().splitlines()]
        steps = [(id, step) for id, step, *_ in traced if id in ids]
        assert len(steps) == len(set(steps)) == 20 * 20


async def node_events(system: System) -> AsyncIterator[ne.NodeEvent]:
    """What has happened to the nodes, in order."""
    async for batch in system.log.read(["claw.node.>"]):
        for record in batch:
            for event in ne.CODEC.decode(record.body):
                yield event


@pytest.mark.soak
async def test_the_own_server_is_killed_again_and_again(tmp_path: Path) -> None:
    async with running(tmp_path, ClusterPlan(nodes=2, slots=10, skills=(SKILLS,))) as system:
        ids = await system.submit(60, steps=6, seconds=0.2)
        for kill in range(3):
            before = steps_run(system)
            await until(lambda before=before: steps_run(system) >= before + 20, "work goes on")
            killed = system.signal("server", signal.SIGKILL)
            ids += await system.submit(5, prefix=f"kill-{kill}-")
            await until(lambda killed=killed: system.pid("server") not in (0, killed), "it runs again")
        await all_is_well(system, ids)


@pytest.mark.parametrize("storm_s", [4, pytest.param(60, marks=pytest.mark.soak)])
async def test_a_storm_of_reconnects_loses_and_doubles_nothing(
    own_server: Callable[..., NatsServer], tmp_path: Path, storm_s: int
) -> None:
    server, chance = own_server(), random.Random(SEED)
    async with Proxy(server.port) as proxy:
        plan = ClusterPlan(nodes=2, slots=10, skills=(SKILLS,), address=Address.of(proxy.url(server.url())))
        async with running(tmp_path, plan) as system:
            ids = await system.submit(40, steps=6, seconds=0.1)
            more: list[asyncio.Task[list[str]]] = []
            end_s = time.monotonic() + storm_s
            while time.monotonic() < end_s:
                await asyncio.sleep(chance.uniform(0.1, 0.3))
                proxy.cut()
                more.append(asyncio.create_task(system.submit(3, prefix=f"cut-{len(more)}-")))
            assert len(more) >= storm_s
            for submitted in more:
                ids += await submitted
            await all_is_well(system, ids)
