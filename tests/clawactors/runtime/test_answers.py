"""`ref.ask`: the code of a task answers while it runs and while it waits, and nothing of it is recorded."""

import asyncio
import sys
import threading
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from clawactors import AskFailed, NotFound, Refused, SyncTask, Task, skill
from clawactors.testing import Cluster
from tests.clawactors.runtime import isolated


@dataclass
class Order:
    due: date
    items: list[str]


@skill("order")
async def order(task: Task, item: str = "tea") -> str:
    found = Order(date(2026, 5, 1), [item])
    work = {"done": 0}

    async def later(seconds: float) -> str:
        await asyncio.sleep(seconds)
        return "later"

    def plus(day: date, *, days: int = 1) -> str:
        return f"{day.isoformat()} + {days}"

    def breaks() -> None:
        raise KeyError("a secret place")

    async def changes() -> Any:
        return await task.step("sneaky", str, "x")

    async def waits() -> None:
        await task.signal("x")

    async def cut() -> None:
        raise asyncio.CancelledError("its source was cancelled")

    task.answer("state", lambda: work)
    task.answer("cut", cut)
    task.answer("order", lambda: found)
    task.answer("later", later)
    task.answer("plus", plus)
    task.answer("breaks", breaks)
    task.answer("changes", changes)
    task.answer("waits", waits)
    task.answer("odd", object)
    task.answer("large", lambda: "x" * 500_000)
    task.answer("ends", lambda: sys.exit(3))
    for _ in range(2):
        await task.signal("go")
        work["done"] += 1
    return item


async def begun(cluster: Cluster, name: str = "order", **params: Any) -> Any:
    """A task that waits."""
    ref = await cluster.client.submit(name, params)
    await cluster.settle()
    return ref


async def test_it_answers_while_it_runs_and_while_it_is_parked_and_leaves_no_trace() -> None:
    async with Cluster([order]) as cluster:
        ref = await begun(cluster)
        assert (await cluster.client.task(ref.id)).parked_on == "n1"
        before = [entry.seq for entry in await cluster.client.history(ref.id)]
        assert await ref.ask("state") == {"done": 0}
        assert await ref.ask("order") == {"due": "2026-05-01", "items": ["tea"]}
        assert await ref.ask("later", 0.01) == "later"
        assert await ref.ask("plus", "2026-01-02") == "2026-01-02 + 1"
        assert [entry.seq for entry in await cluster.client.history(ref.id)] == before
        await ref.signal("go")
        await cluster.settle()
        assert await cluster.client.ask_task(ref.id, "state", timeout="5s") == {"done": 1}


async def test_code_that_is_at_work_answers_too() -> None:
    go = asyncio.Event()

    @skill("works")
    async def works(task: Task) -> str:
        task.answer("n", lambda n: n + 1)
        await task.step("long", go.wait)
        return "done"

    async with Cluster([works]) as cluster:
        ref = await cluster.client.submit("works")
        assert await ref.ask("n", 4) == 5
        go.set()
        assert await ref.result() == "done"


async def test_who_asks_early_waits_for_the_slot_and_for_the_answer() -> None:
    hold = asyncio.Event()

    @skill("holds")
    async def holds(task: Task) -> None:
        await hold.wait()

    @skill("slow-start")
    async def slow_start(task: Task) -> None:
        await asyncio.sleep(0.05)
        task.answer("x", lambda: "here")
        await task.signal("end")

    async with Cluster([holds, slow_start], slots=1) as cluster:
        first = await cluster.client.submit("holds")
        ref = await cluster.client.submit("slow-start")
        asked = asyncio.create_task(ref.ask("x"))
        with pytest.raises(TimeoutError, match="its code waits for a slot"):
            await ref.ask("x", timeout=0.05)
        hold.set()
        assert await asked == "here"
        await first.result()


async def test_what_can_not_be_asked_says_why() -> None:
    async with Cluster([order]) as cluster:
        client = cluster.client
        ref = await begun(cluster)
        with pytest.raises(Refused, match=r"no answer 'stat'; it has 'breaks', 'changes'.*'state'"):
            await ref.ask("stat")
        with pytest.raises(NotFound, match="no task 'nobody'"):
            await client.ref("nobody").ask("state")
        for wrong in (("plus",), ("plus", "not a day"), ("state", 1)):
            with pytest.raises(Refused):
                await ref.ask(*wrong)
        with pytest.raises(Refused, match="can't be sent"):
            await ref.ask("plus", object())
        with pytest.raises(Refused, match="a timeout is seconds"):
            await ref.ask("state", timeout=0)
        await ref.pause()
        with pytest.raises(Refused, match="is paused"):
            await ref.ask("state")
        await ref.resume()
        await cluster.settle()
        await ref.cancel()
        await cluster.settle()
        with pytest.raises(Refused, match="is cancelled, so its code can't answer"):
            await ref.ask("state")


async def test_an_answer_that_raises_says_what_and_does_not_touch_the_task() -> None:
    async with Cluster([order]) as cluster:
        ref = await begun(cluster)
        with pytest.raises(AskFailed, match="a secret place") as failed:
            await ref.ask("breaks")
        assert failed.value.error.kind == "unknown"
        assert "breaks" in failed.value.traceback
        with pytest.raises(AskFailed, match=r"SystemExit|3"):
            await ref.ask("ends")
        with pytest.raises(AskFailed, match="its source was cancelled"):
            await ref.ask("cut")
        for name in ("changes", "waits"):
            with pytest.raises(AskFailed, match="only reads"):
                await ref.ask(name)
        with pytest.raises(Refused, match="JSON can't hold"):
            await ref.ask("odd")
        with pytest.raises(Refused, match="is the most"):
            await ref.ask("large")
        with pytest.raises(TimeoutError, match="takes longer"):
            await ref.ask("later", 9.0, timeout=0.3)
        assert [entry.type for entry in await cluster.client.history(ref.id)][-1] == "task.waiting"
        assert await ref.ask("state") == {"done": 0}


async def test_it_is_asked_again_while_its_node_is_lost() -> None:
    @skill("moves")
    async def moves(task: Task) -> None:
        task.answer("where", lambda: task.attempt)
        await task.step("first", str, "x")
        await asyncio.Event().wait()

    async with Cluster([moves], nodes=2) as cluster:
        ref = await cluster.client.submit("moves")
        assert await ref.ask("where") == 1
        node = (await cluster.client.task(ref.id)).node
        assert node is not None
        killing = asyncio.create_task(cluster.kill_node(node))
        await asyncio.sleep(0)
        assert await ref.ask("where") in (1, 2)
        await killing
        assert await ref.ask("where") == 2


async def test_a_parked_run_that_a_deploy_has_unwound_says_so() -> None:
    async with Cluster([order], nodes=1) as cluster:
        ref = await begun(cluster)
        await cluster.stop_node("n1")
        await cluster.start_node("n1")
        with pytest.raises(
            Refused, match=r"waits \(signal\), and no node has its code in memory: claw resume t-\w+ runs"
        ):
            await ref.ask("state")
        await ref.resume()
        assert await ref.ask("state") == {"done": 0}
        await cluster.settle()
        row, history = await cluster.client.task(ref.id), await cluster.client.history(ref.id)
        assert (row.status, row.parked_on) == ("waiting", "n1")
        await ref.resume()  # its code is in memory: nothing to do
        assert len(await cluster.client.history(ref.id)) == len(history)
        await ref.signal("go")
        await cluster.settle()
        assert await ref.ask("state") == {"done": 1}


async def test_sync_code_answers_in_a_thread_of_its_own() -> None:
    @skill("sync")
    def sync(task: SyncTask) -> None:
        own = threading.get_ident()
        task.answer("apart", lambda: threading.get_ident() != own)
        task.answer("changes", lambda: task.step("s", str, 1))
        task.signal("go")

    async with Cluster([sync]) as cluster:
        ref = await begun(cluster, "sync")
        assert await ref.ask("apart") is True
        with pytest.raises(AskFailed, match="only reads"):
            await ref.ask("changes")
        await ref.signal("go")
        await ref.result()


async def test_an_isolated_skill_refuses_to_answer() -> None:
    async with Cluster([isolated.answers]) as cluster:
        with pytest.raises(Exception, match="an isolated skill has no answers"):
            await cluster.client.run("isolated-answers")


async def test_a_task_that_continues_answers_with_what_its_new_run_says() -> None:
    @skill("rounds")
    async def rounds(task: Task, n: int = 1) -> int:
        task.answer("n", lambda: n)
        await task.step(str, n)
        await task.signal("go")
        if n < 3:
            await task.continue_as({"n": n + 1})
        return n

    async with Cluster([rounds]) as cluster:
        ref = await begun(cluster, "rounds")
        for number in (1, 2, 3):
            await cluster.settle()
            assert await ref.ask("n") == number
            await ref.signal("go")
        assert await ref.result() == 3


async def test_a_question_lets_no_time_pass() -> None:
    @skill("sleeps")
    async def sleeps(task: Task) -> None:
        async def slow() -> str:
            await asyncio.sleep(0.05)
            return "asleep"

        task.answer("how", slow)
        await task.sleep("1h")

    async with Cluster([sleeps]) as cluster:
        ref = await begun(cluster, "sleeps")
        began = cluster.now
        assert await ref.ask("how") == "asleep"
        assert (cluster.now - began).total_seconds() < 60
        assert (await cluster.client.task(ref.id)).status == "waiting"


async def test_answers_are_named_functions() -> None:
    @skill("names")
    async def names(task: Task) -> int:
        refused = 0
        for wrong in (("", str), ("x" * 129, str), (5, str), ("x", "y")):
            try:
                task.answer(*wrong)  # type: ignore[arg-type]
            except Refused:
                refused += 1
        return refused

    async with Cluster([names]) as cluster:
        assert await cluster.client.run("names") == 4
