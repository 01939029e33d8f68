"""The test kit does what it promises to users: a real cluster in memory, whose time jumps and whose parts fail."""

import asyncio
import gc
import itertools
import os
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from clawactors import InvalidQuery, NotFound, Refused, Retry, SyncTask, Task, TaskFailed, skill
from clawactors.testing import Cluster

PATIENCE_S = 10.0


@skill("double")
async def double(task: Task, n: int) -> int:
    return 2 * n


@skill("nap")
async def nap(task: Task, how_long: str = "7d") -> str:
    await task.step("before", str.upper, how_long)
    await task.sleep(how_long)
    return "rested"


@skill("wait")
async def wait(task: Task) -> Any:
    return await task.signal("go", timeout="2d")


async def test_a_client_submits_runs_lists_and_asks() -> None:
    async with Cluster([double], nodes=2) as cluster:
        claw = cluster.client
        assert await claw.run("double", {"n": 21}) == 42
        ref = await claw.submit("double", {"n": 1}, id="one")
        assert await ref.result() == 2
        assert [row.status for row in (await claw.tasks()).rows] == ["completed"] * 2
        assert [row.id for row in await claw.nodes()] == cluster.nodes == ["n1", "n2"]
        assert [entry.type for entry in await claw.history("one")][-1] == "task.completed"
        assert "completed" in (await claw.why("one")).status
        assert (await claw.statistics(by="skill")).tasks
        with pytest.raises(InvalidQuery, match="use one of node, user, skill, tag, error, hour"):
            await claw.statistics(by="mood")
        assert await claw.count(skill="double", status="completed", fresh=True) == 2
        assert await claw.count(text="no*", since="2000-01-01T00:00:00Z") == 0
        sizes = await claw.sizes()
        assert sizes.log > 0
        assert (sizes.memory or 0) > 0
        with pytest.raises(NotFound):
            await claw.task("another")
        with pytest.raises(Refused, match="does not take"):
            await claw.submit("double", {"m": 1})


@skill("thread")
def thread(task: SyncTask, n: int) -> int:
    return n


@skill("step-and-nap")
async def step_and_nap(task: Task, n: int) -> int:
    await task.step(str.upper, "x")
    await task.sleep(5)
    return n


async def test_tasks_that_have_ended_leave_nothing_to_the_garbage_collector() -> None:
    skills = [double, thread, step_and_nap]
    async with Cluster(skills) as cluster:
        claw = cluster.client

        async def run(each: Any, count: int) -> None:
            await asyncio.gather(*(claw.run(each.name, {"n": n}) for n in range(count)))

        for each in skills:
            await run(each, 5)
            gc.collect()
            gc.disable()
            try:
                await run(each, 100)
                assert gc.collect() < 100  # reference cycles of attempts took a quarter of a node's time
            finally:
                gc.enable()


def test_a_cluster_that_is_closed_is_gone() -> None:
    async def lives() -> "weakref.ref[Cluster]":
        async with Cluster([double, thread, step_and_nap]) as cluster:
            for each in ("double", "thread", "step-and-nap"):
                await cluster.client.run(each, {"n": 1})
            return weakref.ref(cluster)

    gone = asyncio.run(lives())
    gc.collect()
    assert gone() is None  # a thread that idles held what it had run last, and so all the cluster


async def test_a_week_of_sleep_takes_milliseconds() -> None:
    async with Cluster([nap]) as cluster:
        began, began_s = cluster.now, time.monotonic()
        assert await cluster.client.run("nap") == "rested"
        assert time.monotonic() - began_s < 0.5
        assert timedelta(days=7) <= cluster.now - began < timedelta(days=7, seconds=1)


async def test_days_pass_at_once_for_branches_that_take_turns() -> None:
    @skill("turns")
    async def turns(task: Task) -> None:
        lock = asyncio.Lock()

        async def branch() -> None:
            async with lock:
                await task.sleep("3d")

        await asyncio.gather(branch(), branch())

    async with Cluster([turns]) as cluster:
        began = cluster.now
        async with asyncio.timeout(PATIENCE_S):
            await cluster.client.run("turns")
        assert timedelta(days=6) <= cluster.now - began < timedelta(days=6, seconds=1)


async def test_waits_end_in_the_order_of_their_times() -> None:
    ended: list[str] = []

    @skill("note")
    async def note(task: Task, how_long: str) -> None:
        await task.sleep(how_long)
        ended.append(how_long)

    async with Cluster([note]) as cluster:
        lengths = ["3d", "1h", "90d", "2m", "1d"]
        await asyncio.gather(*[cluster.client.run("note", {"how_long": each}) for each in lengths])
    assert ended == ["2m", "1h", "1d", "3d", "90d"]


async def test_time_moves_only_while_a_test_waits_for_the_cluster_or_lets_it_pass() -> None:
    async with Cluster([nap, wait]) as cluster:
        claw = cluster.client
        refs = [await claw.submit("nap"), await claw.submit("wait")]
        await cluster.settle()
        await asyncio.sleep(0.05)
        assert [(await claw.task(ref.id)).status for ref in refs] == ["waiting"] * 2
        await cluster.sleep("1d")
        await refs[1].signal("go", "gone")
        assert await refs[1].result() == "gone"
        assert (await claw.task(refs[0].id)).status == "waiting"
        await cluster.sleep("6d")
        assert (await claw.task(refs[0].id)).status == "completed"


async def test_a_delayed_task_starts_when_its_time_has_come() -> None:
    async with Cluster([double]) as cluster:
        began = cluster.now
        ref = await cluster.client.submit("double", {"n": 1}, delay_s=86_400)
        await cluster.sleep("23h")
        assert (await cluster.client.task(ref.id)).status == "waiting"
        assert await ref.result() == 2
        assert timedelta(days=1) <= cluster.now - began < timedelta(days=1, seconds=1)


async def test_a_deadline_ends_a_task_that_waits() -> None:
    async with Cluster([nap]) as cluster:
        with pytest.raises(TaskFailed, match="deadline"):
            await cluster.client.run("nap", deadline_ns=int((cluster.now.timestamp() + 86_400) * 1e9))


async def test_time_jumps_for_a_task_that_a_step_has_submitted_and_for_every_client() -> None:
    @skill("outer")
    async def outer(task: Task) -> str:
        return str(await task.step("submit", submit))

    async def submit() -> str:
        return (await cluster.client.submit("nap")).id

    async with Cluster([outer, nap]) as cluster:
        inner = await cluster.client.run("outer")
        assert await cluster.connect("ada").ref(inner).result() == "rested"
        assert await cluster.connect("eve").run("nap") == "rested"


async def test_code_of_a_task_can_not_let_time_pass() -> None:
    @skill("hurry")
    async def hurry(task: Task) -> None:
        await task.step("pass", cluster.sleep, "61s")

    async with Cluster([hurry]) as cluster:
        with pytest.raises(TaskFailed, match="let it pass in the test"):
            await cluster.client.run("hurry", max_retries=0)


async def test_letting_time_pass_takes_no_time() -> None:
    async with Cluster([nap]) as cluster:
        await asyncio.gather(*[cluster.client.submit("nap", {"how_long": f"{n}h"}) for n in range(1, 100)])
        began, began_s = cluster.now, time.process_time()
        await cluster.sleep("30d")
        assert time.process_time() - began_s < 1
        assert timedelta(days=30) <= cluster.now - began < timedelta(days=30, seconds=5)
        assert {row.status for row in (await cluster.client.tasks()).rows} == {"completed"}


async def test_a_signal_that_does_not_come_times_out_two_days_later() -> None:
    async with Cluster([wait]) as cluster:
        began = cluster.now
        with pytest.raises(TaskFailed, match="go"):
            await cluster.client.run("wait", max_retries=0)
        assert cluster.now - began >= timedelta(days=2)


async def test_no_time_is_skipped_while_a_step_runs() -> None:
    @skill("slow")
    async def slow(task: Task) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        line = await task.step("read", reader.readline)
        writer.close()
        return str(line.strip(), "ascii") if isinstance(line, bytes) else str(line)

    @skill("thread")
    def thread(task: SyncTask) -> str:
        return task.step("sleep", lambda: (time.sleep(0.05), threading.current_thread().name)[1])

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Cluster([slow, thread, nap]) as cluster:
        sleeping = await cluster.client.submit("nap")
        began = cluster.now
        results = asyncio.gather(cluster.client.run("thread"), cluster.client.run("nap", {"how_long": "30d"}))
        assert "skill" in await cluster.client.run("thread")
        assert cluster.now - began < timedelta(days=1)
        assert (await cluster.client.task(sleeping.id)).status == "waiting"
        await results


async def test_retries_wait_in_virtual_time() -> None:
    calls: list[datetime] = []

    @skill("flaky", retry=Retry(max_retries=3, wait_s=3600, factor=1, cap_s=7200, jitter=0))
    async def flaky(task: Task) -> int:
        calls.append(cluster.now)
        if len(calls) < 3:
            raise ConnectionError("not yet")
        return len(calls)

    async with Cluster([flaky]) as cluster:
        assert await cluster.client.run("flaky") == 3
    assert [round((b - a).total_seconds()) for a, b in itertools.pairwise(calls)] == [3600, 3600]


async def test_schedules_fire_as_time_passes() -> None:
    async with Cluster([double], start="2026-03-01T07:59:00Z") as cluster:
        assert cluster.now.replace(microsecond=0) == datetime(2026, 3, 1, 7, 59, tzinfo=UTC)
        await cluster.client.schedules.add("daily", "0 8 * * *", "double", {"n": 1})
        await cluster.sleep("3d")
        assert len((await cluster.client.tasks(skill="double")).rows) == 3


async def test_another_node_takes_over_what_a_killed_one_had() -> None:
    begun, ran = asyncio.Event(), []

    @skill("hang")
    async def hang(task: Task) -> int:
        await task.step("first", ran.append, 1)
        if task.attempt == 1:
            begun.set()
            await asyncio.Event().wait()
        return task.attempt

    async with Cluster([hang], nodes=2) as cluster:
        ref = await cluster.client.submit("hang")
        await begun.wait()
        await asyncio.sleep(0.05)  # the step is on record after 20 ms
        [first] = [row.id for row in await cluster.client.nodes() if row.running]
        await cluster.kill_node(first)
        assert await ref.result(PATIENCE_S) == 2
        assert ran == [1]
        assert first not in cluster.nodes
        await cluster.start_node(first)
        assert cluster.nodes == ["n1", "n2"]
        with pytest.raises(NotFound, match="those that do: n1, n2"):
            await cluster.kill_node("n3")


async def test_a_sleeping_task_survives_all_of_its_cluster() -> None:
    async with Cluster([nap]) as cluster:
        ref = await cluster.client.submit("nap")
        await cluster.settle()
        await cluster.kill_node("n1")
        await cluster.restart_control()
        await cluster.sleep("30d")
        assert (await cluster.client.task(ref.id)).status == "pending"
        await cluster.start_node("n1")
        assert await ref.result(PATIENCE_S) == "rested"


async def test_a_node_that_is_stopped_hands_its_tasks_back() -> None:
    attempts: list[int] = []
    began = asyncio.Event()

    @skill("long")
    async def long(task: Task) -> str:
        attempts.append(task.attempt)
        began.set()
        for n in range(100):
            await task.step(f"s{n}", asyncio.sleep, 0.001)
        return "done"

    async with Cluster([long], nodes=2) as cluster:
        ref = await cluster.client.submit("long")
        await began.wait()
        first = (await cluster.client.task(ref.id)).node
        assert first
        await cluster.stop_node(first)
        assert await ref.result(PATIENCE_S) == "done"
        assert len(attempts) == 2


@pytest.mark.parametrize("seed", range(3))
async def test_lost_acknowledgements_lose_and_double_nothing(seed: int) -> None:
    counted: list[int] = []

    @skill("count")
    async def count(task: Task, n: int) -> int:
        await task.step("count", counted.append, n)
        return n

    async with Cluster([count], nodes=2, seed=seed) as cluster:
        cluster.lose_acknowledgements(0.3)
        results = await asyncio.gather(*[cluster.client.run("count", {"n": n}) for n in range(30)])
        assert results == list(range(30))
        assert sorted(counted) == list(range(30))
        with pytest.raises(ValueError, match="share"):
            cluster.lose_acknowledgements(1)


async def _life(seed: int) -> list[str]:
    async with Cluster([nap, double], nodes=2, seed=seed) as cluster:
        cluster.lose_acknowledgements(0.3)
        for n in range(10):
            await cluster.client.submit("double", {"n": n}, id=f"t{n}")
            await cluster.settle()
        return [f"{n} {entry.type}" for n in range(10) for entry in await cluster.client.history(f"t{n}")]


async def test_the_same_seed_makes_the_same_jitter_and_the_same_losses() -> None:
    rolls = []
    for seed in (1, 1, 2):
        cluster = Cluster(seed=seed)
        rolls.append([cluster._clock.roll() for _ in range(5)] + [cluster._losses.random() for _ in range(5)])
    assert rolls[0] == rolls[1] != rolls[2]
    assert await _life(1) == await _life(1)


async def test_two_clusters_live_side_by_side() -> None:
    async with Cluster([double]) as one, Cluster([double]) as other:
        await one.client.submit("double", {"n": 1}, id="t")
        with pytest.raises(NotFound):
            await other.client.task("t")
        await one.kill_node("n1")
        assert await other.client.run("double", {"n": 2}) == 4


async def test_each_user_has_a_client() -> None:
    async with Cluster([wait]) as cluster:
        ref = await cluster.client.submit("wait")
        await cluster.connect("ada").signal(ref.id, "go", 1)
        assert await ref.result() == 1
        by = [entry.by for entry in await cluster.client.history(ref.id) if entry.type == "task.signalled"]
        assert by == ["client/ada"]


async def test_secrets_and_output_and_blobs_are_there() -> None:
    @skill("all", secrets=["api_key"])
    async def all_of_it(task: Task) -> dict[str, Any]:
        await task.emit({"key": len(task.secret("api_key"))})
        return await task.store(b"bytes")

    async with Cluster([all_of_it], secrets={"api_key": "correct horse"}) as cluster:
        ref = await cluster.client.submit("all")
        assert [chunk.value async for chunk in ref.stream()] == [{"key": 13}]
        assert await cluster.client.blob((await ref.result())["blob"]) == b"bytes"


def made(folder: Path) -> list[str]:
    return os.listdir(folder)


async def test_memory_is_there_when_it_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    @skill("learn")
    async def learn(task: Task) -> list[str]:
        await task.remember("Ada prefers tea")
        return [row["text"] for row in await task.recall("what does Ada drink?")]

    async with Cluster([learn, double]) as cluster:
        await cluster.client.run("double", {"n": 1})
        assert not made(tmp_path), "without memory there are no files"
        assert "Ada prefers tea" in await cluster.client.run("learn")
        await cluster.client.remember("Grace prefers coffee")
        found = await cluster.client.recall("coffee", limit=1, fresh=True)
        assert [row["text"] for row in found] == ["Grace prefers coffee"]
        await cluster.kill_node("n1")
    assert not made(tmp_path)


def test_a_test_that_is_not_async_uses_it_too(claw_cluster: Callable[..., Cluster]) -> None:
    with claw_cluster(skills=[nap]) as cluster:
        assert cluster.run(cluster.client.run("nap")) == "rested"
    unstarted = Cluster()
    with pytest.raises(RuntimeError, match="await it"):
        unstarted.run(asyncio.sleep(0))


@pytest.mark.claw(skills=[double], nodes=3)
class TestMarked:
    async def test_the_marker_says_what_the_clusters_have(self, claw_cluster: Callable[..., Cluster]) -> None:
        async with claw_cluster() as cluster:
            assert len(cluster.nodes) == 3
            assert await cluster.client.run("double", {"n": 1}) == 2

    @pytest.mark.claw(nodes=1)
    async def test_the_closest_marker_wins_and_the_call_wins_over_it(
        self, claw_cluster: Callable[..., Cluster]
    ) -> None:
        async with claw_cluster() as one, claw_cluster(nodes=2) as two:
            assert (len(one.nodes), len(two.nodes)) == (1, 2)


async def test_a_cluster_begins_at_once_and_runs_a_thousand_tasks_soon() -> None:
    async with Cluster([double]):
        pass  # what is imported on first use is imported
    begun_s = time.process_time()
    async with Cluster([double], nodes=2) as cluster:
        assert time.process_time() - begun_s < 0.05
        await asyncio.gather(*[cluster.client.run("double", {"n": n}) for n in range(1000)])
        assert time.process_time() - begun_s < 2


@pytest.mark.parametrize("options", [{"nodes": -1}, {"slots": 0}, {"start": "tomorrow"}])
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"nodes|time"):
        Cluster(**options)


async def test_a_cluster_leaves_nothing_behind() -> None:
    before = len(asyncio.all_tasks())
    async with Cluster([nap]) as cluster:
        await cluster.client.submit("nap")
        await cluster.settle()
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == before
