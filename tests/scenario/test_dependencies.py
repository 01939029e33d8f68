"""Kill -9 of the control process while layers of tasks wait for each other: each goes on once and in order."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from clawactors.app.clusterplan import ClusterPlan
from clawactors.eventlog import Unavailable
from clawactors.runtime.client.submitting import TaskRequest
from clawactors.systems.tasks.submission import spec_of
from tests.scenario.system import System, running, until

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module")]

EXAMPLE = str(Path(__file__).parents[2] / "examples" / "fan_in.py")
WIDTH = 30


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("dependencies")
    async with running(folder, ClusterPlan(nodes=2, slots=4, skills=(EXAMPLE,))) as system:
        yield system


def batch(prefix: str) -> list[list[TaskRequest]]:
    """Three layers of a diamond, and what comes before and after it."""
    count = "one two three"
    names = [["top"], [f"a{n}" for n in range(WIDTH)], [f"b{n}" for n in range(WIDTH)], ["end"]]
    layers: list[list[TaskRequest]] = []
    for number, layer in enumerate(names):
        after = [request.id for request in layers[-1]] if layers else []
        skill, params = ("count", {"text": count}) if number < len(names) - 1 else ("total", {})
        layers.append([TaskRequest(f"{prefix}{name}", spec_of(skill, params, after=after)) for name in layer])
    return layers


async def answers(system: System) -> bool:
    """Whether a control process is there."""
    try:
        await system.ask("status")
    except Unavailable:
        return False
    return True


async def test_a_diamond_goes_through_while_control_is_killed_at_every_layer(system: System) -> None:
    layers = batch("d-")
    requests = [request for layer in reversed(layers) for request in layer]
    for _ in range(2):  # the second time to see that it is idempotent
        assert not (await system.client.submit_many(requests)).refused
        system.submitted += [request.id for request in requests]
    killed = {0}

    def is_killed() -> bool:
        """True once a control process that was not killed before is."""
        if system.pid("control") in killed:
            return False
        killed.add(system.signal("control", signal.SIGKILL))
        return True

    for layer in layers[:-1]:
        async for _ in system.client.ended([request.id for request in layer[:1]]):
            break
        await until(is_killed, "control runs again, and is killed")
    await system.ended(request.id for request in requests)
    assert len(killed) == len(layers)
    audit = await system.audit()
    for layer in layers[1:]:
        for request in layer:
            assert audit.tasks[request.id].life.status == "completed"
    result = audit.tasks["d-end"].life.result
    assert result == {f"d-b{n}": 3 for n in range(WIDTH)} | {"sum": 3 * WIDTH}
    await until(lambda: answers(system), "control answers again")
    await system.replay_is_equal()


async def test_the_command_line_submits_explains_and_refuses(system: System) -> None:
    claw = system.claw

    async def run(*words: str, stdin: str = "") -> tuple[int, object]:
        done = await asyncio.to_thread(claw, *words, "--json", stdin=stdin)
        return done.code, json.loads(done.out)

    code, row = await run("submit", "nobody-has-it", "--id", "c-p")
    assert code == 0
    code, row = await run("submit", "total", "--id", "c-t", "--after", "c-p,d-top", "--on-dead", "fail")
    assert (code, row["status"], row["waiting_for"], row["after"]) == (0, "waiting", "dependency", ["c-p", "d-top"])  # type: ignore[index]
    code, why = await run("why", "c-t")
    assert why["reasons"] == ["it starts after 2 tasks", "1 of them not completed yet: c-p is pending"]  # type: ignore[index]
    assert why["waiting_for"] == {"for": "dependency", "after": {"c-p": "pending", "d-top": "completed"}}  # type: ignore[index]
    code, said = await run("submit", "count", '{"text": "x"}', "--after", "c-nobody")
    assert (code, said["error"]["message"]) == (4, "it comes after c-nobody, and there is no such task")  # type: ignore[index]
    await run("cancel", "c-p")
    await system.ended(["c-t"])
    code, row = await run("task", "c-t")
    assert row["error"] == {"class": "dependency", "message": "its predecessor c-p is cancelled"}  # type: ignore[index]


async def test_a_file_names_its_tasks_in_any_order_and_rings_are_refused(system: System) -> None:
    count = {"skill": "count", "params": {"text": "a b"}}
    lines = [
        {"skill": "total", "id": "f-end", "after": ["f-0", "f-1"]},
        {**count, "id": "f-1", "after": "f-0"},
        {**count, "id": "f-x", "after": "f-z"},
        {**count, "id": "f-y", "after": "f-x"},
        {**count, "id": "f-z", "after": "f-y"},
        {**count, "id": "f-0"},
    ]
    text = "\n".join(json.dumps(line) for line in lines)
    done = await asyncio.to_thread(system.claw, "submit", "--batch", "-", "--json", stdin=text)
    answer = done.answer
    assert (done.code, answer["submitted"], answer["existing"]) == (4, 3, 0)
    ring = "it would wait for itself: f-x after f-z after f-y after f-x"
    assert answer["refused"] == [
        {"line": n, "id": id, "message": ring} for n, id in ((3, "f-x"), (4, "f-y"), (5, "f-z"))
    ]
    await system.ended(["f-end"])
    assert (await system.client.snapshot("f-end")).state.life.result == {"f-0": 2, "f-1": 2, "sum": 4}
