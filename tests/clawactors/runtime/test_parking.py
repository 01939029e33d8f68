"""Parking: code that only waits keeps its coroutine and gives its slot back; the rules of "Parking", one test each."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import FunctionType
from typing import Any

import pytest

from clawactors import Retry, SyncTask, Task, TaskSuspended, skill
from clawactors.systems.tasks import events as e
from tests.clawactors.runtime.cluster import Cluster, WallClock

NOW_S = 1_700_000_000.0
HOUR_S = 3600


def times(cluster: Cluster, id: str, tag: str) -> int:
    return cluster.named(id).count(tag)


@asynccontextmanager
async def one_node(*skills: Any, slots: int = 1, clock: Any = None, **settings: Any) -> AsyncIterator[Cluster]:
    async with Cluster(clock or WallClock(NOW_S)) as cluster:
        await cluster.control()
        await cluster.node("n1", skills, slots=slots, **settings)
        yield cluster


@skill("echo")
async def echo(task: Task, text: str = "") -> str:
    return text


async def quiet(text: str = "") -> str:
    return text


# Rule 1 and 3: what is on record of a parked task, and its wake


async def test_a_parked_task_keeps_its_node_and_lists_its_waits_and_its_wake_is_one_commit() -> None:
    @skill("many")
    async def many(task: Task) -> str:
        async with asyncio.TaskGroup() as group:
            group.create_task(task.sleep("2h"))
            group.create_task(task.sleep("1h"))
            group.create_task(task.signal("go", timeout="3h"))
        return "done"

    clock = WallClock(NOW_S)
    async with one_node(many, clock=clock) as cluster:
        client = cluster.client()
        await client.submit("many", id="t")
        life = (await cluster.until_status("t", "waiting")).life
        assert (life.node, life.parked, life.waiting_for) == ("n1", True, "timer")
        assert life.until_ns == int((NOW_S + HOUR_S) * 1e9)
        assert sorted((wait.reason, wait.until_ns // 10**9 - int(NOW_S)) for wait in life.open_waits) == [
            ("signal", 3 * HOUR_S),
            ("timer", HOUR_S),
            ("timer", 2 * HOUR_S),
        ]
        await client.signal("t", "go")
        await cluster.until(lambda: times(cluster, "t", "task.waiting") == 2)
        [commit] = [commit for commit in cluster.commits("t") if any(type(ev) is e.Signalled for ev in commit.events)]
        assert [type(event).__name__ for event in commit.events] == ["Signalled", "Readied", "Scheduled"]
        assert commit.record.subject == "claw.task.t.to.n1"
        clock.move(2 * HOUR_S)
        task = await cluster.until_status("t", "completed")
        assert (task.life.tries, task.life.result) == (1, "done")


async def test_three_parallel_sleeps_take_as_long_as_the_longest() -> None:
    @skill("naps")
    async def naps(task: Task) -> int:
        await asyncio.gather(*(task.sleep("1h") for _ in range(3)))
        return task.attempt

    clock = WallClock(NOW_S)
    async with one_node(naps, clock=clock) as cluster:
        await cluster.client().submit("naps", id="t")
        await cluster.until_status("t", "waiting")
        clock.move(HOUR_S)
        task = await cluster.until_status("t", "completed")
        assert task.life.result == 1
        assert [step.name for step in task.journal.steps()] == ["sleep:1/1", "sleep:2/1", "sleep:3/1"]
        assert times(cluster, "t", "task.waiting") == 1


# Rule 2: it parks only when all of it waits


async def test_a_step_beside_a_sleep_runs_once_and_holds_the_slot() -> None:
    calls, go = itertools.count(1), asyncio.Event()

    async def slow() -> int:
        await go.wait()
        return next(calls)

    @skill("beside")
    async def beside(task: Task) -> list[Any]:
        return await asyncio.gather(task.step("slow", slow), task.sleep("1h"))

    clock = WallClock(NOW_S)
    async with one_node(beside, echo, clock=clock) as cluster:
        client = cluster.client()
        await client.submit("beside", id="t")
        await cluster.until_status("t", "running")
        await client.submit("echo", id="u")
        assert cluster.task("t").life.status == "running"
        go.set()
        await cluster.until_status("t", "waiting")
        await cluster.until_status("u", "completed")
        clock.move(HOUR_S)
        task = await cluster.until_status("t", "completed")
        assert task.life.result == [1, None]


async def _in_time() -> None:
    await asyncio.sleep(HOUR_S)


async def _bare() -> None:
    await asyncio.get_running_loop().create_future()


async def _event() -> None:
    await asyncio.wait_for(asyncio.Event().wait(), HOUR_S)


def _of_library(name: str) -> Any:
    return FunctionType(_event.__code__, {"asyncio": asyncio, "HOUR_S": HOUR_S, "__name__": name})


@pytest.mark.parametrize("beside", [_in_time, _bare, _of_library("anyio.streams"), _of_library("clawactors.runtime")])
@pytest.mark.parametrize("wait", ["sleep", "signal"])
async def test_the_end_of_a_wait_is_on_record_while_other_code_runs_beside(wait: str, beside: Any) -> None:
    @skill("mixed")
    async def mixed(task: Task) -> None:
        await task.step("before", quiet)
        await asyncio.sleep(0.05)  # behind the first commit of the attempt
        await asyncio.gather(
            task.sleep("1h") if wait == "sleep" else task.signal("go", timeout="1h"),
            beside(),
        )

    async with one_node(mixed, clock=WallClock(NOW_S)) as cluster:
        await cluster.client().submit("mixed", id="t")
        await cluster.until(lambda: times(cluster, "t", "step.completed") == 2)
        assert cluster.task("t").life.status == "running"


@asynccontextmanager
async def _held(lock: Any) -> AsyncIterator[None]:
    async with lock:
        yield


async def _taken(queue: asyncio.Queue[str]) -> AsyncIterator[str]:
    while text := await queue.get():
        yield text


async def _in_turn(task: Task, seen: list[str], lock: Any) -> None:
    async def branch(text: str) -> None:
        async with _held(lock):
            seen.append(f"in {text}")
            await task.sleep("1h")
            seen.append(f"out {text}")

    await asyncio.gather(branch("a"), branch("b"))


async def _by_lock(task: Task, seen: list[str]) -> None:
    await _in_turn(task, seen, asyncio.Lock())


async def _by_semaphore(task: Task, seen: list[str]) -> None:
    await _in_turn(task, seen, asyncio.Semaphore(1))


async def _by_queue(task: Task, seen: list[str]) -> None:
    queue = asyncio.Queue[str]()

    async def take() -> None:
        async for text in _taken(queue):
            seen.append(f"out {text}")
            queue.task_done()

    async def put() -> None:
        for text in "ab":
            seen.append(f"in {text}")
            await task.sleep("1h")
            queue.put_nowait(text)
            await queue.join()
        queue.put_nowait("")

    await asyncio.gather(take(), put())


@pytest.mark.parametrize("way", [_by_lock, _by_semaphore, _by_queue])
async def test_a_branch_that_another_one_holds_up_waits_too(way: Any) -> None:
    seen = list[str]()

    @skill("turns")
    async def turns(task: Task) -> int:
        await way(task, seen)
        return task.attempt

    clock = WallClock(NOW_S)
    async with one_node(turns, echo, clock=clock) as cluster:
        client = cluster.client()
        await client.submit("turns", id="t")
        for parked in (1, 2):
            await cluster.until(lambda parked=parked: times(cluster, "t", "task.waiting") == parked)
            await client.submit("echo", id=f"u{parked}")
            await cluster.until_status(f"u{parked}", "completed")  # the only slot is free
            assert cluster.task("t").life.status == "waiting"
            clock.move(parked * HOUR_S)
        task = await cluster.until_status("t", "completed")
        assert seen == ["in a", "out a", "in b", "out b"]
        assert (task.life.tries, task.life.wakes) == (1, 2)


async def test_code_that_goes_on_while_it_is_parked_gets_a_wake_at_its_next_call() -> None:
    go = asyncio.Event()

    @skill("outer")
    async def outer(task: Task) -> None:
        async def branch() -> None:
            await asyncio.wait_for(go.wait(), 30)
            await task.sleep("2h")

        await asyncio.gather(branch(), task.sleep("1h"))

    clock = WallClock(NOW_S)
    async with one_node(outer, clock=clock) as cluster:
        await cluster.client().submit("outer", id="t")
        await cluster.until_status("t", "waiting")
        go.set()  # the test is the world outside here
        await cluster.until(lambda: times(cluster, "t", "task.waiting") == 2)
        life = (await cluster.until_status("t", "waiting")).life
        assert sorted(wait.until_ns // 10**9 - int(NOW_S) for wait in life.open_waits) == [HOUR_S, 2 * HOUR_S]
        clock.move(2 * HOUR_S)
        await cluster.until_status("t", "completed")


async def test_a_ticker_beside_a_long_step_ends_with_it() -> None:
    calls, go = itertools.count(1), asyncio.Event()

    async def long() -> int:
        await go.wait()
        return next(calls)

    @skill("ticks")
    async def ticks(task: Task) -> int:
        async def tick() -> None:
            while True:
                await task.sleep(1.01)

        ticker = asyncio.create_task(tick())
        result: int = await task.step("long", long)
        ticker.cancel()
        return result

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [ticks], slots=1)
        await cluster.client().submit("ticks", id="t")
        await cluster.until_status("t", "running")
        asyncio.get_running_loop().call_later(1.5, go.set)
        task = await cluster.until_status("t", "completed")
        assert (task.life.result, task.life.attempt) == (1, 1)


async def test_a_step_called_from_a_parked_run_gets_a_wake_and_a_slot_first() -> None:
    go = asyncio.Event()

    @skill("pokes")
    async def pokes(task: Task) -> str:
        nap = asyncio.create_task(task.sleep("1h"))
        await go.wait()  # counts as waiting for the nap
        text = await task.step("poke", quiet, "poked")
        nap.cancel()
        return text

    async with one_node(pokes) as cluster:
        await cluster.client().submit("pokes", id="t")
        await cluster.until_status("t", "waiting")
        go.set()
        task = await cluster.until_status("t", "completed")
        assert task.life.result == "poked"
        names = cluster.named("t")
        assert names.index("task.ready") < names.index("step.completed", names.index("task.waiting"))


async def test_a_timeout_of_the_code_wakes_it_before_it_goes_on() -> None:
    @skill("limits")
    async def limits(task: Task) -> str:
        try:
            async with asyncio.timeout(0.5):
                await task.signal("never")
        except TimeoutError:
            return await task.step("late", quiet, "late")
        return "?"

    async with one_node(limits) as cluster:
        await cluster.client().submit("limits", id="t")
        task = await cluster.until_status("t", "completed")
        assert (task.life.result, task.life.wakes, task.life.tries) == ("late", 1, 1)


# Locks stay held, `finally` runs at the end; rule 6


async def test_a_lock_is_kept_over_a_sleep_and_who_holds_it_runs_as_one_extra() -> None:
    lock, seen = asyncio.Lock(), list[str]()

    @skill("locks")
    async def locks(task: Task) -> None:
        async with lock:
            seen.append(f"in {task.id}")
            if task.id == "a":
                await task.sleep("1h")
            seen.append(f"out {task.id}")

    clock = WallClock(NOW_S)
    async with one_node(locks, clock=clock, slots=2) as cluster:
        client = cluster.client()
        await client.submit("locks", id="a")
        await cluster.until_status("a", "waiting")
        for id in "bc":
            await client.submit("locks", id=id)
            await cluster.until_status(id, "running")  # all slots are taken by those who wait for the lock
        clock.move(HOUR_S)
        for id in "abc":
            await cluster.until_status(id, "completed")
        assert seen[:2] == ["in a", "out a"]


# Rule 4: unwinding


async def test_at_a_drain_it_unwinds_is_unparked_and_goes_on_elsewhere() -> None:
    told: list[str] = []

    @skill("nap")
    async def nap(task: Task) -> int:
        await task.step("before", quiet)
        try:
            await task.sleep("1h")
        except TaskSuspended:
            told.append("suspended")
            raise
        finally:
            told.append("finally")
        return task.attempt

    clock = WallClock(NOW_S)
    async with one_node(nap, clock=clock) as cluster:
        await cluster.client().submit("nap", id="t")
        await cluster.until_status("t", "waiting")
        cluster.nodes["n1"].stop()
        await cluster.finish("node/n1")
        life = cluster.task("t").life
        assert (life.status, life.parked, life.node) == ("waiting", False, "")
        assert told == ["suspended", "finally"]
        assert cluster.named("t")[-1] == "task.unparked"
        await cluster.node("n2", [nap])
        clock.move(HOUR_S)
        task = await cluster.until_status("t", "completed")
        assert (task.life.result, times(cluster, "t", "step.completed")) == (2, 2)


async def test_beyond_the_limit_the_oldest_unwinds() -> None:
    @skill("nap")
    async def nap(task: Task) -> int:
        await task.sleep("1h")
        return task.attempt

    clock = WallClock(NOW_S)
    async with one_node(nap, clock=clock) as cluster:
        client = cluster.client()
        await client.config.set("node.parked", 2)
        await cluster.nodes["n1"].live.after(0, 10)
        for id in "abc":
            await client.submit("nap", id=id)
            await cluster.until_status(id, "waiting")
        await cluster.until_event("a", "task.unparked")
        assert [cluster.task(id).life.parked for id in "abc"] == [False, True, True]
        clock.move(HOUR_S)
        assert [(await cluster.until_status(id, "completed")).life.result for id in "abc"] == [2, 1, 1]


@pytest.mark.parametrize("many", [300, pytest.param(10_000, marks=pytest.mark.soak)])
async def test_many_parked_tasks_outlive_their_node(many: int) -> None:
    @skill("nap")
    async def nap(task: Task) -> int:
        await task.sleep("1h")
        return task.attempt

    clock = WallClock(NOW_S)
    patience_s = 10 + many / 100
    async with one_node(nap, clock=clock, slots=50) as cluster:
        client = cluster.client()
        ids = [f"t{n}" for n in range(many)]
        await asyncio.gather(*(client.submit("nap", id=id) for id in ids))
        known = cluster.controls["control/1"].state.tasks.by_id
        left = list(ids)

        def are_parked() -> bool:
            while left and known[left[-1]].rests:
                left.pop()
            return not left

        await cluster.until(are_parked, "all are parked", patience_s)
        await cluster.kill("node/n1")
        await cluster.node("n1", [nap], slots=50)
        clock.move(HOUR_S)
        await cluster.until(lambda: not known, "all have ended", patience_s)
        assert {cluster.task(id).life.status for id in ids[:: many // 5]} == {"completed"}


# Rule 5: cancels and deadlines


async def test_a_cancel_of_a_parked_task_lets_it_clean_up_with_recorded_steps() -> None:
    @skill("cleans")
    async def cleans(task: Task) -> None:
        try:
            await task.sleep("1h")
        finally:
            await task.step("cleanup", quiet, "clean")

    @skill("busy")
    async def busy(task: Task) -> None:
        await asyncio.Event().wait()

    async with one_node(cleans, busy) as cluster:
        client = cluster.client()
        await client.submit("cleans", id="t")
        await cluster.until_status("t", "waiting")
        await client.submit("busy", id="u")  # the slot is taken: a cancel needs none
        await cluster.until_status("u", "running")
        await client.cancel("t")
        task = await cluster.until_status("t", "cancelled")
        assert task.journal.completed("cleanup")


async def test_a_deadline_ends_a_parked_run() -> None:
    ended = asyncio.Event()

    @skill("nap")
    async def nap(task: Task) -> None:
        try:
            await task.sleep("2h")
        finally:
            ended.set()

    clock = WallClock(NOW_S)
    async with one_node(nap, clock=clock) as cluster:
        await cluster.client().submit("nap", id="t", deadline_ns=int((NOW_S + HOUR_S) * 1e9))
        await cluster.until_status("t", "waiting")
        clock.move(HOUR_S + 1)
        await cluster.until_status("t", "failed")
        async with asyncio.timeout(5):
            await ended.wait()


async def test_the_timeout_of_an_attempt_stands_still_while_it_is_parked() -> None:
    @skill("nap", timeout_s=0.6)
    async def nap(task: Task) -> str:
        await task.signal("go")
        return "in time"

    async with one_node(nap) as cluster:
        client = cluster.client()
        await client.submit("nap", id="t")
        await cluster.until_status("t", "waiting")
        await asyncio.sleep(0.8)  # the timeout itself is what must not happen
        await client.signal("t", "go")
        assert (await cluster.until_status("t", "completed")).life.result == "in time"


# Rule 7: names by branch


async def test_branches_that_finish_in_another_order_do_not_swap_their_records() -> None:
    first = asyncio.Event()

    @skill("branches")
    async def branches(task: Task) -> list[str]:
        async def branch(text: str) -> str:
            if (text == "a") == (task.attempt == 1):
                await first.wait()
            else:
                first.set()
            result: str = await task.step(quiet, text)
            return result

        results = await asyncio.gather(branch("a"), branch("b"))
        first.clear()
        if task.attempt == 1:
            raise RuntimeError("once more")
        return results

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [branches])
        await cluster.client().submit("branches", id="t")
        task = await cluster.until_status("t", "completed", "blocked", "failed")
        assert (task.life.status, task.life.result) == ("completed", ["a", "b"])


# Limits of a skill


async def test_a_wake_waits_for_a_place_under_the_limit_of_its_skill() -> None:
    go = asyncio.Event()

    @skill("scarce", concurrency=1)
    async def scarce(task: Task) -> str:
        if task.id == "a":
            await task.signal("go")
        else:
            await go.wait()
        return task.id

    async with one_node(scarce, slots=5) as cluster:
        client = cluster.client()
        await client.submit("scarce", id="a")
        await cluster.until_status("a", "waiting")
        await client.submit("scarce", id="b")
        await cluster.until_status("b", "running")
        await client.signal("a", "go")
        life = (await cluster.until_status("a", "pending")).life
        assert (life.parked, life.node) == (True, "n1")
        go.set()
        task = await cluster.until_status("a", "completed")
        assert (task.life.tries, task.life.result) == (1, "a")


# Structured ends, and cleanup after a cancel


async def test_siblings_of_a_failed_gather_end_before_the_next_attempt_begins() -> None:
    under_way = 0
    most = 0

    @skill("fails")
    async def fails(task: Task) -> str:
        async def sibling() -> None:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            try:
                await asyncio.sleep(30)
            finally:
                await asyncio.sleep(0.05)
                under_way -= 1

        async def failing() -> None:
            await asyncio.sleep(0.01)
            if task.attempt < 3:
                raise OSError("again")

        both = asyncio.gather(sibling(), failing())
        if task.attempt == 3:
            both.cancel()
            return "done"
        await both
        return "?"

    fails.retry = Retry(3, wait_s=0.001)
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [fails])
        await cluster.client().submit("fails", id="t")
        await cluster.until_status("t", "completed")
        assert (most, under_way) == (1, 0)


@skill("sync-cleans")
def sync_cleans(task: SyncTask) -> str:
    try:
        task.signal("never")
    except asyncio.CancelledError:
        task.step("cleanup", str, "clean")
        raise
    return "?"


@skill("swallows")
async def swallows(task: Task) -> str:
    try:
        await task.signal("never")
    except asyncio.CancelledError:
        await task.step("cleanup", quiet, "clean")
    return "as if nothing had happened"


@skill("stubborn", cancel_grace_s=0.2)
async def stubborn(task: Task) -> None:
    for _ in range(2):
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            continue
    await asyncio.sleep(30)


@pytest.mark.parametrize("code", [sync_cleans, swallows])
async def test_code_cleans_up_after_a_cancel_and_is_cancelled_whatever_it_returns(code: Any) -> None:
    async with one_node(code) as cluster:
        client = cluster.client()
        await client.submit(code.name, id="t")
        await cluster.until_status("t", "waiting")
        await client.cancel("t")
        task = await cluster.until_status("t", "cancelled")
        assert task.journal.completed("cleanup")


async def test_after_the_grace_time_or_now_the_code_is_left() -> None:
    async with one_node(stubborn, slots=2) as cluster:
        client = cluster.client()
        await client.submit("stubborn", id="t")
        await cluster.until_status("t", "running")
        await client.cancel("t")
        await cluster.until_status("t", "cancelled")
        stubborn.cancel_grace_s = 1000.0
        await client.submit("stubborn", id="u")
        await cluster.until_status("u", "running")
        await client.cancel("u")
        await client.cancel("u", now=True)
        await cluster.until_status("u", "cancelled")


async def test_a_pause_unwinds_a_parked_run_and_a_resume_waits_on() -> None:
    @skill("nap")
    async def nap(task: Task) -> int:
        await task.sleep("1h")
        return task.attempt

    clock = WallClock(NOW_S)
    async with one_node(nap, clock=clock) as cluster:
        client = cluster.client()
        await client.submit("nap", id="t")
        await cluster.until_status("t", "waiting")
        await client.pause("t")
        await cluster.until(lambda: not len(cluster.nodes["n1"]._slots.parked))
        await client.resume("t")
        clock.move(HOUR_S)
        assert (await cluster.until_status("t", "completed")).life.result == 2


async def test_a_new_leader_wakes_it_in_place() -> None:
    @skill("nap")
    async def nap(task: Task) -> int:
        await task.sleep(1.2)
        return task.attempt

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [nap], slots=1)
        await cluster.client().submit("nap", id="t")
        before = await cluster.until_status("t", "waiting")
        await cluster.kill("control/1")
        await cluster.control()
        task = await cluster.until_status("t", "completed")
        assert (before.life.attempt, task.life.attempt, task.life.tries) == (1, 2, 1)
