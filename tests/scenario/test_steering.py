"""Steering what runs, on real processes: cancels that reach code of every kind, signals by the thousand."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import psutil
import pytest
import pytest_asyncio

from clawactors.app.clusterplan import ClusterPlan
from clawactors.eventlog import aggregate_pattern
from clawactors.eventlog.jetstream.wire.api import call
from clawactors.kernel.errors import Refused
from clawactors.runtime.client import TaskFailed
from clawactors.systems.tasks import events as te
from tests.scenario.system import PATIENCE_S, System, running, until

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module")]

DRAIN = b'{"type":"node.drain"}'
SKILLS = str(Path(__file__).with_name("living.py"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with running(tmp_path_factory.mktemp("steering"), ClusterPlan(nodes=2, slots=5, skills=(SKILLS,))) as system:
        yield system


async def begun(system: System, skill: str, id: str, **params: object) -> None:
    await system.client.submit(skill, params, id=id)

    async def runs() -> bool:
        return (await system.client.snapshot(id)).state.life.status == "running"

    await until(runs, f"{id} runs")


@pytest.mark.parametrize("skill", ["waits", "waits-in-thread", "waits-isolated"])
async def test_a_cancel_reaches_running_code_and_is_confirmed(system: System, skill: str) -> None:
    mark = system.folder / f"{skill}.pid"
    await begun(system, skill, skill, mark=str(mark))
    await until(mark.exists, "the code is there")
    body = b'{"type":"task.cancel","by":"a script"}'
    await system.client.connection.ask(f"claw.cmd.task.{skill}", body)
    with pytest.raises(TaskFailed) as ended:
        await system.client.ref(skill).result(PATIENCE_S)
    assert ended.value.status == "cancelled"
    told = await system.run_claw("why", skill)
    assert told.answer["reasons"] == ["a script cancelled it"]
    if skill == "waits-isolated":
        await until(lambda: not psutil.pid_exists(int(mark.read_text())), "its process is gone")
    again = await system.run_claw("cancel", skill)
    assert (again.code, again.answer["error"]["message"]) == (4, "the task is cancelled already")


async def test_why_names_a_limit_and_the_freed_place_is_the_next_ones(system: System) -> None:
    mark = system.folder / "alone"
    await begun(system, "waits-alone", "alone-1", mark=str(mark))
    await system.client.submit("waits-alone", {"mark": str(mark)}, id="alone-2", priority="low")
    await system.client.submit("waits-alone", {"mark": str(mark)}, id="alone-3")
    told = await system.run_claw("why", "alone-3")
    assert (told.answer["status"], told.answer["reasons"]) == (
        "pending",
        ['limit: skill "waits-alone" runs 1 of at most 1 at once'],
    )
    assert told.answer["waiting_for"] == {"for": "limit", "skill": "waits-alone", "running": 1, "limit": 1}
    [row] = [row for row in (await system.run_claw("skills")).answer if row["name"] == "waits-alone"]
    assert row["concurrency"] == 1
    for number, id in enumerate(("alone-1", "alone-3", "alone-2"), 1):
        await until(lambda number=number: len(mark.read_text().split()) == number, f"{id} runs")  # type: ignore[misc]
        await system.client.cancel(id)
    assert mark.read_text().split() == ["alone-1", "alone-3", "alone-2"]


async def test_of_a_cancel_and_a_completion_one_wins_and_both_see_which(system: System) -> None:
    for number in range(30):
        ref = await system.client.submit(
            "plods", {"trace": str(system.trace), "steps": 1, "seconds": 0}, id=f"r{number}"
        )
        refused = ""
        try:
            await ref.cancel()
        except Refused as refusal:
            refused = str(refusal)
        await system.ended([ref.id])
        status = (await ref.snapshot()).state.life.status
        assert status == "completed" if refused else status in ("cancelled", "completed")
        if refused:
            assert refused == "the task is completed; an ended task can't be cancelled"
    await system.audit(left_open=())


@pytest.mark.parametrize(
    ("way", "many"),
    [("client", 10_000), ("command", 2000), pytest.param("command", 10_000, marks=pytest.mark.soak)],
)
async def test_thousands_of_signals_to_a_running_task_come_in_order_in_a_few_commits(
    system: System, way: str, many: int
) -> None:
    client, id = system.client, f"gathers-{way}-{many}"
    await begun(system, "gathers", id, count=many)
    if way == "client":
        await asyncio.gather(*(client.signal(id, "go", number) for number in range(many)))
    else:
        bodies = (msgspec.json.encode({"type": "task.signal", "name": "go", "payload": n}) for n in range(many))
        for body in bodies:
            assert client.connection.publish_now(f"claw.cmd.task.{id}".encode(), body)
    assert await client.ref(id).result(PATIENCE_S) == 0
    commits = [r async for batch in system.log.read([aggregate_pattern("task", id)]) for r in batch]
    signalled = [commit for commit in commits if b'"task.signalled"' in commit.body]
    events = [event for commit in signalled for event in te.CODEC.decode(commit.body)]
    assert sum(isinstance(event, te.Signalled) for event in events) == many
    assert len(signalled) <= many / 100

    async def all_done() -> bool:
        return int((await call(client.connection, "STREAM.INFO.CLAW_COMMANDS"))["state"]["messages"]) == 0

    await until(all_done, "every command is acknowledged")


async def test_what_is_not_a_command_becomes_a_dead_letter(system: System) -> None:
    before = (await call(system.client.connection, "STREAM.INFO.CLAW_DEAD"))["state"]["messages"]
    for subject, body in (("task.nobody", b'{"type":"task.cancel"}'), ("task.r0", b"{"), ("node.nobody", DRAIN)):
        await system.client.connection.ask(f"claw.cmd.{subject}", body)

    async def kept() -> bool:
        state = (await call(system.client.connection, "STREAM.INFO.CLAW_DEAD"))["state"]
        return bool(state["messages"] == before + 3)

    await until(kept, "three dead letters")
    with contextlib.suppress(Refused):
        await system.client.cancel("r0")


async def test_a_node_is_drained_from_outside_and_stays_so_over_a_kill(system: System) -> None:
    async def row_is(wanted: str, incarnation: str = "") -> bool:
        row = (await system.run_claw("node", "n2")).answer
        return bool(row["status"] == wanted and row["incarnation"] != incarnation)

    await system.client.connection.ask("claw.cmd.node.n2", DRAIN)
    await until(lambda: row_is("draining"), "it drains")
    before = (await system.run_claw("node", "n2")).answer["incarnation"]
    system.signal("n2", signal.SIGKILL)
    await until(lambda: row_is("draining", before), "its next incarnation drains")
    await system.client.connection.ask("claw.cmd.node.n2", b'{"type":"node.uncordon"}')
    await until(lambda: row_is("online"), "it takes work again")


async def test_a_signal_of_some_megabytes_comes_whole(system: System) -> None:
    text = "payload " * 500_000
    (system.folder / "payload.json").write_bytes(msgspec.json.encode(text))
    await begun(system, "asks", "large-signal", trace=str(system.trace))
    told = await system.run_claw("signal", "large-signal", "go", f"@{system.folder / 'payload.json'}")
    assert told.code == 0, told.err
    assert (await system.client.ref("large-signal").result(PATIENCE_S))[0] == text
    in_one_message = "from outside " * 40_000
    await begun(system, "asks", "large-command", trace=str(system.trace))
    body = msgspec.json.encode({"type": "task.signal", "name": "go", "payload": in_one_message})
    await system.client.connection.ask("claw.cmd.task.large-command", body)
    assert (await system.client.ref("large-command").result(PATIENCE_S))[0] == in_one_message
