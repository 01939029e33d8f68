"""Nodes, control and server are killed and stopped at random while tasks run; the log shows what was kept of it all."""

import asyncio
import signal
from pathlib import Path

import pytest

from clawactors.app.clusterplan import ClusterPlan
from tests.scenario.havoc import Havoc
from tests.scenario.system import SKILLS, System, running, until

pytestmark = pytest.mark.nats

NODES = ("n1", "n2", "n3")
VICTIMS = (*NODES, "control", "server")


async def submit(system: System, strike: int, tasks: int) -> None:
    """A part of the tasks, of all sorts, at once; returns when they are acknowledged."""
    with_steps, in_threads = tasks * 6 // 10, tasks // 10
    await asyncio.gather(
        system.submit(with_steps, "work", f"steps-{strike}-", steps=6, seconds=0.1),
        system.submit(in_threads, "work-in-thread", f"threads-{strike}-", steps=5, seconds=0.1),
        system.submit(tasks - with_steps - in_threads, "no-op", f"no-op-{strike}-"),
    )


async def survive(folder: Path, seed: int, *, tasks: int, rounds: int, every_s: float, stopped_s: float) -> None:
    """A cluster under fire takes so many tasks, spread over the strikes; in the end every promise has held."""
    async with running(folder, ClusterPlan(nodes=len(NODES), slots=4, skills=(SKILLS,))) as system:
        async with Havoc(system, seed, VICTIMS, every_s=every_s, stopped_s=stopped_s) as havoc:
            strikes = rounds * havoc.round
            for strike in range(strikes):
                await submit(system, strike, tasks // strikes)
                await havoc.struck(strike + 1)
        try:
            assert len(system.submitted) == tasks
            await system.ended(system.submitted)
            await system.audit()
            await system.replay_is_equal()
            await system.online(*NODES)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, {havoc.strikes}: {error}") from error


async def test_killed_and_stopped_parts_lose_double_and_forget_nothing(tmp_path: Path) -> None:
    await survive(tmp_path, 2, tasks=200, rounds=1, every_s=0.7, stopped_s=5)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 105))
async def test_many_killed_and_stopped_parts_lose_double_and_forget_nothing(tmp_path: Path, seed: int) -> None:
    await survive(tmp_path, seed, tasks=2000, rounds=10, every_s=0.7, stopped_s=5)


@pytest.mark.parametrize("tasks", [400, pytest.param(1000, marks=pytest.mark.soak)])
async def test_hundreds_of_tasks_of_a_killed_node_all_go_on(tmp_path: Path, tasks: int) -> None:
    """Each of them reads its own history at the same time as the others."""
    async with running(tmp_path, ClusterPlan(nodes=1, slots=tasks, skills=(SKILLS,))) as system:
        await system.submit(tasks, "work", steps=3, seconds=0.5)
        await until(lambda: any(line.split()[1] == "s1" for line in lines_of(system.trace)), "a step is on record")
        system.signal("n1", signal.SIGKILL)
        await system.ended(system.submitted)
        await system.audit()


@pytest.mark.soak
async def test_ten_thousand_parked_tasks_of_a_killed_node_all_go_on(tmp_path: Path) -> None:
    """What each of them did before it slept is done once, whoever wakes it."""
    tasks, parked_within_s, ended_within_s = 10_000, 60, 300
    async with running(tmp_path, ClusterPlan(nodes=1, slots=1000, skills=(SKILLS,))) as system:
        await system.submit(tasks, "naps", seconds=parked_within_s)

        async def are_parked() -> bool:
            return bool((await system.ask("status", fresh=True))["tasks"].get("waiting") == tasks)

        await until(are_parked, "all are parked", parked_within_s)
        system.signal("n1", signal.SIGKILL)
        await system.ended(system.submitted, ended_within_s)
        await system.audit()
        ran = [line.split()[0] for line in lines_of(system.trace)]
        assert sorted(ran) == sorted(system.submitted)


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
