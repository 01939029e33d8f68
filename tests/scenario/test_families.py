"""Children, approvals and runs on real processes, with real commands: nodes and leaders that are killed meanwhile."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from clawactors.app.client import Client
from clawactors.app.clusterplan import ClusterPlan
from clawactors.app.discovery import discover
from tests.scenario.system import PATIENCE_S, System, running, until

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module")]

SKILLS = """
import asyncio

from clawactors import Task, skill


@skill("leaf")
async def leaf(task: Task, n: int, pause_s: float = 0.0) -> int:
    await asyncio.sleep(pause_s)
    return n


@skill("tree")
async def tree(task: Task, n: int, pause_s: float = 0.0) -> int:
    calls = (task.run(leaf, {"n": each, "pause_s": pause_s}) for each in range(n))
    return sum(await asyncio.gather(*calls))


@skill("waits")
async def waits(task: Task) -> list[int]:
    done = await task.run(leaf, {"n": 1})
    refs = [await task.submit("asks") for _ in range(2)]
    return [done, *[await ref for ref in refs]]


@skill("asks")
async def asks(task: Task) -> int:
    return await task.signal("go")


@skill("deploy")
async def deploy(task: Task) -> list[str]:
    answer = await task.approve("deploy?", by=["ada", "ops"])
    return ["yes" if answer else "no", answer.by, answer.comment]


@skill("rounds")
async def rounds(task: Task, taken: list[int] = [], upto: int = 3) -> list[int]:
    task.answer("taken", lambda since=0: taken[since:])
    await task.step(str, len(taken))
    taken = [*taken, await task.signal("next")]
    if len(taken) < upto:
        await task.continue_as({"taken": taken, "upto": upto})
    return taken
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("families")
    (folder / "family.py").write_text(SKILLS, "utf-8")
    async with running(folder, ClusterPlan(nodes=2, slots=50, skills=(str(folder / "family.py"),))) as system:
        yield system


async def claw(system: System, *arguments: str) -> Any:
    done = await asyncio.to_thread(system.claw.quick, *arguments, "--json")
    assert done.code == 0, done
    return json.loads(done.out)


async def test_a_parents_node_and_the_leader_are_killed_while_hundreds_of_children_run(system: System) -> None:
    ref = await system.client.submit("tree", {"n": 300, "pause_s": 0.3})

    async def has_children() -> bool:
        return len(await system.client.tasks(parent=ref.id, limit=50)) == 50

    await until(has_children, "children")
    parent = await system.client.task(ref.id)
    system.signal(parent.node or "n1", signal.SIGKILL)
    system.signal("control", signal.SIGKILL)
    assert await ref.result(PATIENCE_S) == sum(range(300))
    assert len(await system.client.tasks(parent=ref.id, limit=None, fresh=True)) == 300


async def test_commands_show_the_tree_and_answer_what_is_asked(system: System) -> None:
    ref = await system.client.submit("tree", {"n": 2})
    assert await ref.result(PATIENCE_S) == 1
    rows = await claw(system, "task", "--tree", ref.id)
    assert [(row["level"], row["skill"]) for row in rows] == [(0, "tree"), (1, "leaf"), (1, "leaf")]
    ref = await system.client.submit("deploy")

    async def asks() -> bool:
        return bool(await system.client.approvals())

    await until(asks, "it asks")
    (row,) = await claw(system, "approvals")
    assert (row["task"], row["question"], row["by"]) == (ref.id, "deploy?", ["ada", "ops"])
    refused = await asyncio.to_thread(system.claw.quick, "approve", ref.id)
    assert "is for ada, ops to answer" in refused.err
    async with Client.of(discover(nats=system.cluster.nats_url), user="ops") as ops:
        await ops.approve(ref.id, comment="go on")
    assert await ref.result(PATIENCE_S) == ["yes", "client/ops", "go on"]
    assert await claw(system, "approvals") == []
    await system.replay_is_equal()


async def test_why_says_how_many_children_a_task_waits_for(system: System) -> None:
    ref = await system.client.submit("waits")

    async def waits() -> bool:
        parked = await system.client.tasks(parent=ref.id, skill="asks", status="waiting")
        return len(parked) == 2 and (await system.client.task(ref.id)).waiting_for == "child"

    await until(waits, "it waits for children that wait for a signal")
    found = await system.client.why(ref.id)
    assert found.reasons[0] == f"it waits for 2 of 3 children: claw task --tree {ref.id} shows them"
    assert found.waiting_for["children"] == {"completed": 1, "waiting": 2}
    for child in await system.client.tasks(parent=ref.id, skill="asks"):
        await system.client.signal(child.id, "go", 5)
    assert await ref.result(PATIENCE_S) == [1, 5, 5]


async def test_runs_and_questions_outlive_their_node_and_the_leader(system: System) -> None:
    ref = await system.client.submit("rounds", {"upto": 20})
    assert await ref.ask("taken", timeout=PATIENCE_S) == []
    for number in range(10):
        await ref.signal("next", number)
    node = (await system.client.task(ref.id)).node or "n1"
    system.signal(node, signal.SIGKILL)
    system.signal("control", signal.SIGKILL)
    for number in range(10, 19):
        await ref.signal("next", number)

    async def has_taken_them() -> bool:
        return len(await ref.ask("taken", timeout=PATIENCE_S)) == 19

    await until(has_taken_them, "19 runs")
    assert await claw(system, "ask", ref.id, "taken", "--args", "[17]") == [17, 18]
    assert (await claw(system, "task", ref.id))["run"] == 20
    wrong = await asyncio.to_thread(system.claw.quick, "ask", ref.id, "nothing")
    assert (wrong.code, "no answer 'nothing'; it has 'taken'" in wrong.err) == (4, True)
    await ref.signal("next", 19)
    assert await ref.result(PATIENCE_S) == list(range(20))
    ended = await asyncio.to_thread(system.claw.quick, "ask", ref.id, "taken")
    assert "is completed" in ended.err
    await system.replay_is_equal()
