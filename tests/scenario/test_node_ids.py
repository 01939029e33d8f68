"""Two processes with one node id: the second is refused while the first is alive, else it takes its place."""

import contextlib
import json
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from clawactors.app.clusterplan import ClusterPlan
from tests.scenario.system import PATIENCE_S, SKILLS, System, running, until

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A cluster with a node `n1` that has no slots: what others bring does the work."""
    async with running(tmp_path_factory.mktemp("ids"), ClusterPlan(nodes=1, slots=0, skills=(SKILLS,))) as system:
        yield system


@contextlib.contextmanager
def joined(system: System, id: str) -> Iterator[subprocess.Popen[str]]:
    """A node in a process of its own; it is ready when the block begins."""
    process = system.claw.start("join", "--id", id, "--slots", "10", "--skills", SKILLS, "--json")
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert json.loads(line)["ready"] is True, (line, process.communicate()[1])
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.communicate()


async def status(system: System, id: str) -> str:
    rows = (await system.ask("nodes", fresh=True))["rows"]
    return next((row["status"] for row in rows if row["id"] == id), "")


def steps_run(system: System) -> int:
    return system.trace.read_text().count("\n") if system.trace.exists() else 0


async def test_the_id_of_a_node_that_is_alive_is_refused(system: System) -> None:
    ended = await system.run_claw("join", "--id", "n1")
    assert (ended.code, ended.err.count("\n")) == (4, 1), ended
    assert "a node with the id 'n1' is alive; choose another id or stop that one first" in ended.err


async def test_a_stopped_node_is_replaced_and_stops_itself_when_it_wakes(system: System) -> None:
    with joined(system, "w") as old:
        ids = await system.submit(20, prefix="zombie-", steps=8, seconds=0.2)
        await until(lambda: steps_run(system) >= 30, "the first one works")
        old.send_signal(signal.SIGSTOP)
        with joined(system, "w") as new:
            before = steps_run(system)
            await until(lambda: steps_run(system) >= before + 10, "the second one works")
            old.send_signal(signal.SIGCONT)
            out, err = old.communicate(timeout=PATIENCE_S)
            assert old.returncode == 4, err
            assert "another node has joined as 'w', so this one has stopped" in json.loads(out)["error"]["message"]
            await system.ended(ids)
            await system.audit()
            new.send_signal(signal.SIGTERM)
            assert new.wait(PATIENCE_S) == 0
    await system.replay_is_equal()


async def test_the_id_of_a_killed_node_is_free_at_once(system: System) -> None:
    with joined(system, "k") as first:
        ids = await system.submit(10, prefix="killed-", steps=6, seconds=0.2)
        await until(lambda: any(id in system.trace.read_text() for id in ids), "it works")
        first.kill()
        first.wait()
        with joined(system, "k"):
            await system.ended(ids)
    await system.audit()


async def test_a_cordon_holds_over_a_restart_until_it_is_lifted(system: System) -> None:
    before, incarnation = system.pid("n1"), (await system.ask("node", id="n1"))["row"]["incarnation"]
    assert (await system.run_claw("cordon", "n1")).code == 0
    system.signal("n1", signal.SIGKILL)
    await until(lambda: system.pid("n1") not in (0, before), "it is started again")

    async def is_back() -> bool:
        row = (await system.ask("node", id="n1"))["row"]
        return (row["status"], row["reason"]) == ("cordoned", None) and row["incarnation"] != incarnation

    await until(is_back, "it is back, and cordoned as before")
    assert (await system.run_claw("uncordon", "n1")).code == 0
    assert await status(system, "n1") in ("online", "busy")
