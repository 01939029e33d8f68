"""Who only asks needs no rights on the streams: histories, output and states come from control, page by page."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio

from clawactors.app.client import Client
from clawactors.app.clusterplan import ClusterPlan
from clawactors.app.discovery import discover
from clawactors.eventlog.jetstream import Address
from clawactors.runtime.client.submitting import TaskRequest
from clawactors.systems.tasks import Task
from clawactors.systems.tasks.submission import spec_of
from tests.scenario.system import PATIENCE_S, SKILLS, System, running, until
from tests.servers import running as server_running

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module")]

SPEAKING = str(Path(__file__).with_name("speaking.py"))
ACCOUNTS = """
accounts {
  CLAW { jetstream: enabled, users: [
    { user: admin, password: secret }
    { user: ada, password: secret, permissions: {
      publish: { allow: ["claw.do.ada.>", "claw.query.ada.>"] }
      subscribe: { allow: ["_INBOX.ada.>", "claw.ended.ada.>"] }
    } }
  ] }
  SYS { users: [{ user: sys, password: secret }] }
}
system_account: SYS
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("reads")
    with server_running(folder / "server", ACCOUNTS) as server:
        plan = ClusterPlan(nodes=1, slots=4, address=Address.of(server.url("admin")), skills=(SKILLS, SPEAKING))
        async with running(folder, plan) as system:
            system.url = server.url("ada")  # type: ignore[attr-defined]
            yield system


async def test_a_client_needs_the_right_to_ask_and_no_other(system: System) -> None:
    async with asyncio.timeout(PATIENCE_S), Client.of(discover(nats=system.url), user="ada") as ada:  # type: ignore[attr-defined]
        assert await ada.run("echo", {"text": "hi"}, id="first") == "hi"
        ref = await ada.submit("counts", {"count": 500}, id="counted", delay_s=0.1)
        async with aclosing(ref.stream()) as stream:
            assert [chunk.value async for chunk in stream] == list(range(500))
        assert await ref.result() == 500
        batch = await ada.submit_many([TaskRequest(f"many-{n}", spec_of("echo", {"text": ""})) for n in range(50)])
        assert not batch.refused
        assert {id async for id in ada.ended([f"many-{n}" for n in range(50)])} == {f"many-{n}" for n in range(50)}
        history = await ada.history("first")
        assert [entry.type for entry in history][:2] == ["task.submitted", "task.scheduled"]
        assert (await ada.task("first", at_seq=history[0].seq)).status in ("pending", "scheduled")
        await ada.submit("nobody-has-it", id="held")
        await ada.pause("held")
        assert "client/ada paused it" in (await ada.why("held")).reasons[0]
        await ada.submit("nobody-has-it", after=["held", "first"], id="later")
        assert (await ada.why("later")).waiting_for["after"] == {"held": "paused", "first": "completed"}
        leader = await ada.leader()
        assert (leader or "").startswith("control/")
        assert (await ada.status()).leader == leader
        await ada.cancel("held")
        assert await ada.redrive("first")


async def test_who_may_only_ask_connects_while_no_control_process_answers(system: System) -> None:
    system.signal("control", signal.SIGKILL)
    async with asyncio.timeout(PATIENCE_S), Client.of(discover(nats=system.url), user="ada") as ada:  # type: ignore[attr-defined]
        assert await ada.run("echo", {"text": "waited"}, id="waited") == "waited"


async def test_a_stream_loses_and_doubles_nothing_while_control_is_killed_and_killed_again(system: System) -> None:
    client, count = system.client, 4000
    ref = await client.submit("counts", {"count": count, "pause_s": 0.001}, id="through")
    said: list[int] = []
    async with asyncio.timeout(PATIENCE_S), aclosing(ref.stream()) as stream:
        async for chunk in stream:
            said.append(chunk.value)
            if len(said) in (500, 2500):
                system.signal("control", signal.SIGKILL)
    assert said == list(range(count))
    async with asyncio.timeout(PATIENCE_S), aclosing(ref.stream(live=False)) as stream:
        assert [chunk.value async for chunk in stream] == list(range(count)), "a late reader gets the same"


async def test_all_reads_wait_for_the_only_control_process_to_come_back(system: System) -> None:
    client = system.client
    ref = await client.submit("echo", {"text": "hi"}, id="before")
    assert await ref.result() == "hi"
    async with asyncio.timeout(PATIENCE_S):
        for _ in range(3):
            system.signal("control", signal.SIGKILL)
            status, nodes, tasks, task, why, statistics, history, skills = await asyncio.gather(
                client.status(),
                client.nodes(),
                client.tasks(skill="echo"),
                client.task("before"),
                client.why("before"),
                client.statistics(),
                client.history("before"),
                client.skills_known(),
            )
            assert status.log.last_seq > 0
            assert [node.id for node in nodes] == ["n1"]
            assert "before" in [row.id for row in tasks]
            assert (task.status, why.status) == ("completed", "completed")
            assert statistics.tasks
            assert history[-1].type == "task.completed"
            assert skills


@pytest.mark.parametrize("steps", [4_000, pytest.param(10_000, marks=pytest.mark.soak)])
async def test_a_task_with_thousands_of_steps_is_resumed_in_one_pass(system: System, steps: int) -> None:
    """Its history is longer than a page."""
    client, id = system.client, f"long-{steps}"
    ref = await client.submit("pauses-late", {"steps": steps}, id=id)

    async def waits() -> bool:
        return (await client.state("task", id, Task, brief=True)).state.life.status == "waiting"

    await until(waits, "it waits for the signal")
    began_s = time.monotonic()
    system.signal("n1", signal.SIGKILL)  # what it has parked has to be built again from the journal
    await ref.signal("go")
    assert await ref.result(PATIENCE_S) == {"attempt": 2}
    took_s = time.monotonic() - began_s
    history = await client.history(id)
    recorded = [entry.data["step"] for entry in history if entry.type == "step.completed"]
    assert recorded == [f"s{number}" for number in range(steps)], "each step is on record once"
    assert took_s < PATIENCE_S / 3
