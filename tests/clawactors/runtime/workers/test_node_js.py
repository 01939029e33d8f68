"""R-O4: skills in Node.js. Steps run once, whatever dies; cancels, signals, parallel tasks, errors, files."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from clawactors.runtime.client import ClusterClient
from clawactors.runtime.client.waiting import TaskFailed
from clawactors.runtime.node.workers import Workers
from tests.clawactors.runtime.cluster import Cluster
from tests.waiting import until

ROOT = Path(__file__).parents[4]
EXAMPLE = f"node {ROOT}/examples/workers/node/worker.js"
ODD = f"node {Path(__file__).with_name('odd.js')}"


@pytest.fixture
async def workers(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Workers]:
    monkeypatch.setattr("clawactors.runtime.node.workers.process._BACK_OFF_S", (0.05, 0.1))
    async with Workers([EXAMPLE, ODD], "n1") as workers:
        yield workers


@pytest.fixture
async def client(cluster: Cluster, workers: Workers) -> ClusterClient:
    await cluster.control()
    await cluster.node("n1", workers.skills, slots=3)
    return cluster.client()


def lines(trace: Path) -> list[str]:
    return trace.read_text().splitlines() if trace.exists() else []


def pid_of(workers: Workers, number: int) -> int:
    """The process of node.js, which the keeper has started."""
    child = workers._workers[number]._child
    assert child is not None
    [process] = psutil.Process(child._process.pid).children()
    return process.pid


async def status(client: ClusterClient, id: str, wanted: str) -> None:
    async def there() -> bool:
        return (await client.task(id)).status == wanted

    await until(there, f"{id} is {wanted}", 20)


async def test_code_waits_for_a_signal_without_a_slot_and_goes_on(
    client: ClusterClient, workers: Workers, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    for number in range(5):  # more than there are slots
        await client.submit("js-order", {"item": f"i{number}", "trace": str(trace)}, id=f"o{number}")
    for number in range(5):
        await status(client, f"o{number}", "waiting")
    assert await client.run("js-greet", {"name": "Ada"}, wait_s=10) == "Hello, Ada!"
    os.kill(pid_of(workers, 0), signal.SIGKILL)  # while all wait
    for number in range(5):
        await client.ref(f"o{number}").signal("go", "Ada")
    for number in range(5):
        assert await client.ref(f"o{number}").result(20) == f"r-i{number} to Ada"
    assert Counter(lines(trace)) == {f"{what} i{number}": 1 for what in ("charge", "ship") for number in range(5)}


async def test_a_step_that_was_done_never_runs_again_when_the_worker_is_killed(
    client: ClusterClient, workers: Workers, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    ref = await client.submit("steps", {"trace": str(trace), "dies": 2, "pause": 1}, id="t")
    assert await ref.result(20) == [0, 2, 4, 6, 8]
    assert lines(trace) == ["s0", "s1", "s2", "s2", "s3", "s4"], "only the one that it died in"
    row = await client.task("t")
    assert [step.name for step in row.steps or ()] == ["s", "s#2", "s#3", "s#4", "s#5"]
    history = await client.history("t")
    [lost] = [entry for entry in history if entry.type == "task.interrupted"]
    assert "was killed by SIGKILL" in lost.data["reason"]
    assert workers._workers[1].deaths == 1


@pytest.mark.soak
async def test_a_step_that_was_done_never_runs_again_when_the_node_is_killed(
    cluster: Cluster, client: ClusterClient, workers: Workers, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    ref = await client.submit("steps", {"trace": str(trace), "pause": 100}, id="t")

    async def begun() -> bool:
        return "s2" in lines(trace)

    await until(begun, "the third step has begun", 20)
    await cluster.kill("node/n1")
    async with Workers([ODD], "n2") as others:
        await cluster.node("n2", others.skills)
        assert await ref.result(20) == [0, 2, 4, 6, 8]
    done = Counter(lines(trace))
    assert (done["s0"], done["s1"]) == (1, 1)
    assert done["s2"] <= 2
    assert (done["s3"], done["s4"]) == (1, 1)


@pytest.mark.soak
async def test_a_task_that_kills_its_worker_ends_dead_and_others_do_not(
    client: ClusterClient, workers: Workers, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    good = await client.submit("steps", {"trace": str(trace), "count": 20, "pause": 20}, id="good")
    bad = await client.submit("poison", id="bad")
    with pytest.raises(TaskFailed) as failed:
        await bad.result(30)
    assert failed.value.status == "dead"
    assert await good.result(30) == [2 * n for n in range(20)]
    assert max(Counter(lines(trace)).values()) <= 6


async def test_a_cancel_lets_the_code_clean_up(client: ClusterClient, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    ref = await client.submit("cleans", {"trace": str(trace)}, id="t")
    await status(client, "t", "waiting")
    await ref.cancel()
    await status(client, "t", "cancelled")
    assert lines(trace) == ["began", "cancelled true", "undone"]


async def test_code_that_does_not_heed_a_cancel_is_left_behind(client: ClusterClient) -> None:
    ref = await client.submit("stubborn", id="t")
    await status(client, "t", "running")
    await ref.cancel()
    await status(client, "t", "cancelled")
    assert await client.run("js-greet", {"name": "Ada"}, wait_s=10) == "Hello, Ada!"


@pytest.mark.parametrize("skill", ["slow", pytest.param("silent", marks=pytest.mark.soak)])
async def test_an_attempt_that_takes_too_long_or_is_silent_fails(client: ClusterClient, skill: str) -> None:
    with pytest.raises(TaskFailed) as failed:
        await client.run(skill, wait_s=20)
    assert failed.value.error is not None
    assert failed.value.error.kind == "timeout"


ERRORS = (
    ("final", 1, "validation", "NoItem: no such item"),
    ("told", 1, "unknown", "not again"),
    ("network", 3, "network", "ECONNREFUSED"),
    ("type", 1, "validation", "undefinedFunction is not defined"),
    ("text", 3, "unknown", "just a text"),
    ("json", 1, "validation", "BigInt"),
    ("boom", 3, "unknown", "Error: boom"),
)


async def test_errors_have_their_class_and_are_retried_as_it_says(client: ClusterClient, tmp_path: Path) -> None:
    for how, tries, kind, text in ERRORS:
        trace = tmp_path / how
        with pytest.raises(TaskFailed) as failed:
            await client.run("fails", {"how": how, "trace": str(trace)}, wait_s=10)
        assert failed.value.error is not None
        assert (len(lines(trace)), failed.value.error.kind) == (tries, kind), how
        assert text in failed.value.error.message
        if how == "boom":
            assert "odd.js" in failed.value.traceback


async def test_a_failed_step_is_retried_and_the_code_gets_its_own_error(client: ClusterClient, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    result = await client.run("fails-in-step", {"trace": str(trace)}, wait_s=10)
    assert result == {"same": True, "extra": 7}
    assert lines(trace) == ["bad"] * 3


async def test_the_other_calls_of_a_task(client: ClusterClient) -> None:
    ref = await client.submit("calls", {"other": "js-greet"}, id="t")
    await status(client, "t", "waiting")
    assert await ref.ask("where", 4) == "at 5"
    await ref.signal("end", [1])
    result: dict[str, Any] = await ref.result(20)
    blob = result.pop("kept")
    assert await client.blob(blob["blob"]) == b"bytes"
    assert result.pop("unknown").startswith("a task has no call 'nonsense'; it has ")
    assert result == {
        "child": "Hello, child!",
        "both": ["Hello, second!", "child"],
        "failed": ["ChildFailed", "child", "failed"],
        "timedOut": "timeout",
        "patched": True,
        "seen": [1],
    }
    said = [str(chunk.value) async for chunk in ref.stream("log", live=False)]
    assert any("printed { deep: 1 }" in each for each in said)
    assert [chunk.value async for chunk in ref.stream(live=False)] == [{"chunk": 1}]


@pytest.mark.soak
async def test_many_tasks_and_branches_side_by_side(client: ClusterClient) -> None:
    refs = [await client.submit("js-fan-out", {"count": 7}) for _ in range(30)]
    assert await asyncio.gather(*(ref.result(20) for ref in refs)) == [91] * 30


async def test_what_ends_while_it_waits_wakes_first(client: ClusterClient) -> None:
    assert await client.run("chooses", {"first": 500}, wait_s=10) == "worked"


async def test_calls_that_are_left_open_end_with_the_code(client: ClusterClient) -> None:
    assert await client.run("leaks", wait_s=10) == "done"


async def test_a_worker_reads_and_writes_files(client: ClusterClient, tmp_path: Path) -> None:
    ref = await client.submit("js-words", files={"text": b"one two three"}, id="t")
    assert await ref.result(10) == 3
    assert (await ref.download("report.txt", tmp_path)).read_text() == "text: 3 words\n"


@pytest.mark.soak
async def test_large_values_go_both_ways_at_once(client: ClusterClient) -> None:
    texts = ["x" * 3_000_000 + str(number) for number in range(6)]
    refs = [await client.submit("echoes", {"text": text}) for text in texts]
    assert await asyncio.gather(*(ref.result(30) for ref in refs)) == texts


@pytest.mark.soak
async def test_a_drain_hands_back_and_uses_up_no_retry(
    cluster: Cluster, client: ClusterClient, workers: Workers, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    ref = await client.submit("steps", {"trace": str(trace), "pause": 200}, id="t", max_retries=0)
    waiting = await client.submit("js-order", {"item": "tea"}, id="w", max_retries=0)
    await status(client, "w", "waiting")
    cluster.nodes["n1"].stop()
    async with Workers([EXAMPLE, ODD], "n2") as others:
        await cluster.node("n2", others.skills)
        await waiting.signal("go", "Ada")
        assert await ref.result(20) == [0, 2, 4, 6, 8]
        assert await waiting.result(20) == "r-tea to Ada"
    assert Counter(lines(trace)) == {f"s{number}": 1 for number in range(5)}
