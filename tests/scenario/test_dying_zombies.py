"""Nodes that are believed dead, wake up, and come with results that are no longer wanted."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import psutil
import pytest
import pytest_asyncio

from clawactors.app.clusterplan import ClusterPlan
from clawactors.systems.nodes import events as ne
from clawactors.systems.tasks.task import Task
from tests.scenario.system import SKILLS, System, running, until

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module")]

GATED = ("gated", "gated-in-thread")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with running(tmp_path_factory.mktemp("zombies"), ClusterPlan(nodes=2, slots=5, skills=(SKILLS,))) as system:
        yield system


async def look(system: System, id: str) -> Task:
    return (await system.client.snapshot(id)).state


async def runs_in_attempt(system: System, id: str, attempt: int) -> str:
    """The node, once the step of that attempt is being run."""
    words = [id, "s0", str(attempt)]

    def is_run() -> bool:
        return system.trace.exists() and words in map(str.split, system.trace.read_text().splitlines())

    await until(is_run, f"attempt {attempt} of {id} runs")
    return (await look(system, id)).life.node


def open_gate(system: System, id: str, attempt: int) -> None:
    Path(f"{system.folder}/{id}-{attempt}").touch()


async def submit_gated(system: System, skill: str) -> str:
    (id,) = await system.submit(1, skill, f"{skill}-", gate=f"{system.folder}/{skill}-0")
    return id


async def events_of_node(system: System, id: str) -> list[str]:
    """The names of what happened to a node, in order."""
    return [
        type(event).__name__
        async for batch in system.log.read([f"claw.node.{id}.>"])
        for record in batch
        for event in ne.CODEC.decode(record.body)
    ]


@pytest.mark.parametrize("skill", GATED)
async def test_a_node_that_wakes_up_while_its_task_runs_elsewhere_adds_nothing_to_it(
    system: System, skill: str
) -> None:
    id = await submit_gated(system, skill)
    zombie = await runs_in_attempt(system, id, 1)
    returns = (await events_of_node(system, zombie)).count("NodeReturned")
    system.signal(zombie, signal.SIGSTOP)
    assert await runs_in_attempt(system, id, 2) != zombie
    before = (await system.client.snapshot(id)).version
    open_gate(system, id, 1)
    system.signal(zombie, signal.SIGCONT)

    async def is_back() -> bool:
        return (await events_of_node(system, zombie)).count("NodeReturned") > returns

    await until(is_back, f"{zombie} is back")
    assert (await system.client.snapshot(id)).version == before
    open_gate(system, id, 2)
    await system.ended([id])
    life = (await look(system, id)).life
    assert (life.status, life.attempt) == ("completed", 2)
    assert life.result == {"attempt": 2, "steps": [{"attempt": 2}]}


async def test_a_node_that_was_stopped_from_outside_does_not_blame_the_code_of_its_tasks(system: System) -> None:
    (id,) = await system.submit(1, "gated", "stopped-", gate=f"{system.folder}/stopped-0")
    node = await runs_in_attempt(system, id, 1)
    log = system.cluster.path / "logs" / f"{node}.log"
    before = log.stat().st_size
    system.signal(node, signal.SIGSTOP)
    await runs_in_attempt(system, id, 2)
    await asyncio.sleep(1)  # longer than a stall has to last to be worth a line
    system.signal(node, signal.SIGCONT)
    await until(lambda: "stood still" in log.read_text()[before:], "its log says that it stood still")
    text = log.read_text()[before:]
    assert "its process was stopped" in text
    assert "blocked" not in text
    open_gate(system, id, 2)
    await system.ended([id])


async def test_a_node_that_was_replaced_while_it_slept_stops_and_adds_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, ClusterPlan(nodes=1, slots=5, skills=(SKILLS,))) as system:
        id = await submit_gated(system, GATED[0])
        await runs_in_attempt(system, id, 1)
        sleeper = psutil.Process(system.pid("n1"))
        system.signal("n1", signal.SIGSTOP)
        with system.claw.start("join", "--id", "n1", "--skills", SKILLS, "--json") as successor:
            try:
                assert successor.stdout is not None
                assert msgspec.json.decode(successor.stdout.readline())["ready"]
                await runs_in_attempt(system, id, 2)
                before = (await system.client.snapshot(id)).version
                open_gate(system, id, 1)
                sleeper.resume()
                await until(lambda: not sleeper.is_running(), "who was replaced stops")
                assert (await system.client.snapshot(id)).version == before
                open_gate(system, id, 2)
                await system.ended([id])
            finally:
                successor.terminate()
                successor.communicate()
        assert (await look(system, id)).life.result == {"attempt": 2, "steps": [{"attempt": 2}]}
        await system.online("n1")  # started by the supervisor again, once nobody else has the name
        await system.audit()


async def test_after_all_of_this_the_record_is_whole_and_the_views_are_equal(system: System) -> None:
    await system.audit()
    await system.replay_is_equal()
