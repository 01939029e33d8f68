"""`task.patched`: the code of running tasks is changed, and each run keeps the code that it began with."""

import asyncio
import itertools
from typing import Any

import pytest

from clawactors import Refused, Task, TaskBlocked, skill
from clawactors.systems.skills import Skill
from clawactors.testing import Cluster, NondeterministicCode, replay
from tests.clawactors.runtime import isolated
from tests.clawactors.runtime.cluster import page

calls: list[str] = []


async def old(what: str) -> str:
    calls.append(f"old {what}")
    return what


async def new(what: str) -> str:
    calls.append(f"new {what}")
    return what


@pytest.fixture(autouse=True)
def _fresh() -> None:
    calls.clear()


async def deployed(before: Skill, after: Skill, *, at: str = "") -> tuple[Any, Cluster]:
    """What a task gives that was begun by one code and goes on with another; a signal is sent after the deploy."""
    async with Cluster([before]) as cluster:
        ref = await cluster.client.submit(before.name)
        await cluster.settle()
        await cluster.stop_node("n1")
        await cluster.start_node("n1", [after])
        if at:
            await ref.signal(at, "now")
        return await ref.result(), cluster


@skill("pay")
async def pay_1(task: Task) -> str:
    await task.step("order", old, "order")
    await task.step("charge", old, "charge")
    await task.signal("go")
    return await task.step("ship", old, "ship")


@skill("pay")
async def pay_2(task: Task) -> str:
    await task.step("order", old, "order")
    if task.patched("by invoice"):
        await task.step("invoice", new, "invoice")
    else:
        await task.step("charge", old, "charge")
    await task.signal("go")
    if task.patched("by invoice"):
        await task.step("stamp", new, "stamp")
    return await task.step("ship", old, "ship")


async def test_a_run_that_is_past_the_change_keeps_the_old_code() -> None:
    result, _ = await deployed(pay_1, pay_2, at="go")
    assert result == "ship"
    assert calls == ["old order", "old charge", "old ship"]


async def test_a_run_that_comes_to_it_first_has_the_change_and_keeps_it() -> None:
    async with Cluster([pay_2], nodes=2) as cluster:
        ref = await cluster.client.submit("pay")
        await cluster.settle()
        for id in cluster.nodes:
            await cluster.kill_node(id)
        await cluster.start_node("n3")
        await ref.signal("go")
        assert await ref.result() == "ship"
        assert calls == ["old order", "new invoice", "new stamp", "old ship"]
        steps = [step.name for step in (await cluster.client.task(ref.id)).steps or ()]
        assert steps == ["order", "patched:by invoice", "invoice", "stamp", "ship"]


async def test_a_run_that_had_not_come_so_far_gets_the_change() -> None:
    @skill("late")
    async def late_1(task: Task) -> str:
        await task.step("first", old, "first")
        await task.sleep("1h")
        return await task.step("last", old, "last")

    @skill("late")
    async def late_2(task: Task) -> str:
        await task.step("first", old, "first")
        await task.sleep("1h")
        if task.patched("better"):
            return await task.step("best", new, "best")
        return await task.step("last", old, "last")

    result, _ = await deployed(late_1, late_2)
    assert result == "best"


@pytest.mark.parametrize("wait", ["sleep", "signal", "timed signal", "approval", "child"])
async def test_a_wait_behind_the_change_says_that_the_run_is_past_it(wait: str) -> None:
    async def waits(task: Task) -> None:
        match wait:
            case "sleep":
                await task.sleep("1h")
            case "signal":
                await task.signal("go")
            case "timed signal":
                await task.signal("go", timeout="9h")
            case "approval":
                await task.approve("sure?")
            case _:
                await task.run("child")

    @skill("child")
    async def child(task: Task) -> None:
        await task.signal("go")

    @skill("waiting")
    async def before(task: Task) -> str:
        await waits(task)
        return "old"

    @skill("waiting")
    async def after(task: Task) -> str:
        has = task.patched("more")
        if has:
            await task.step(new, "work")
            await task.run("child")
        await waits(task)
        return "new" if has else "old"

    async with Cluster([before, child]) as cluster:
        client = cluster.client
        ref = await client.submit("waiting")
        await cluster.settle()
        await cluster.stop_node("n1")
        await cluster.start_node("n1", [after, child])
        if wait == "approval":
            await ref.approve()
        elif wait == "child":
            [row] = await client.tasks(skill="child")
            await client.signal(row.id, "go")
        elif wait != "sleep":
            await ref.signal("go")
        assert await ref.result() == "old"
        assert calls == []


async def test_in_a_loop_and_in_several_places_the_answer_is_one() -> None:
    said: list[bool] = []

    @skill("loops")
    async def loops_1(task: Task) -> int:
        for number in range(3):
            await task.step(f"s{number}", old, str(number))
            await task.signal("go")
        return 3

    @skill("loops")
    async def loops_2(task: Task) -> int:
        for number in range(3):
            said.append(task.patched("change"))
            await task.step(f"s{number}", old, str(number))
            await task.signal("go")
        return 3

    async with Cluster([loops_1]) as cluster:
        ref = await cluster.client.submit("loops")
        await cluster.settle()
        await cluster.stop_node("n1")
        await cluster.start_node("n1", [loops_2])
        for _ in range(3):
            await ref.signal("go")
        assert await ref.result() == 3
        assert said == [False, False, False]
        fresh = await cluster.client.submit("loops")
        for _ in range(3):
            await fresh.signal("go")
        await fresh.result()
        assert said[3:] == [True, True, True]


async def test_branches_that_run_side_by_side_agree_whatever_is_faster() -> None:
    async def branch(task: Task, name: str, *, changed: bool) -> str:
        await task.step(f"{name}1", old, f"{name}1")
        use = changed and task.patched("branch")
        return await task.step(f"{name}3" if use else f"{name}2", new if use else old, f"{name}-end")

    @skill("pair")
    async def pair_1(task: Task) -> list[str]:
        found = await asyncio.gather(branch(task, "a", changed=False), branch(task, "b", changed=False))
        await task.signal("go")
        return found

    @skill("pair")
    async def pair_2(task: Task) -> list[str]:
        found = await asyncio.gather(branch(task, "a", changed=True), branch(task, "b", changed=True))
        await task.signal("go")
        return found

    result, _ = await deployed(pair_1, pair_2, at="go")
    assert result == ["a-end", "b-end"]
    assert not any(call.startswith("new") for call in calls)


async def test_a_patch_is_retired_by_taking_the_question_away() -> None:
    @skill("retires")
    async def guarded(task: Task) -> str:
        if task.patched("p"):
            await task.step("new", new, "new")
        return str(await task.signal("go"))

    @skill("retires")
    async def retired(task: Task) -> str:
        await task.step("new", new, "new")
        return str(await task.signal("go"))

    result, _ = await deployed(guarded, retired, at="go")
    assert result == "now"
    assert calls == ["new new"]


async def test_a_continued_run_has_the_change() -> None:
    @skill("goes-on")
    async def one(task: Task, run: int = 1) -> str:
        await task.step("a", old, "a")
        await task.signal("go")
        await task.continue_as({"run": run + 1})

    @skill("goes-on")
    async def two(task: Task, run: int = 1) -> str:
        changed = task.patched("p")
        await task.step("a", old, "a")
        await task.signal("go")
        if run == 1:
            await task.continue_as({"run": 2})
        return f"run {run}: {changed}"

    async with Cluster([one]) as cluster:
        ref = await cluster.client.submit("goes-on")
        await cluster.settle()
        await cluster.stop_node("n1")
        await cluster.start_node("n1", [two])
        await ref.signal("go")
        await ref.signal("go")
        assert await ref.result() == "run 2: True"


async def test_a_fork_before_the_change_has_it_and_one_behind_it_keeps_its_answer() -> None:
    async with Cluster([pay_1]) as cluster:
        ref = await cluster.client.submit("pay")
        await ref.signal("go")
        await ref.result()
        await cluster.stop_node("n1")
        await cluster.start_node("n1", [pay_2])
        calls.clear()
        behind = await ref.fork("ship")
        await behind.signal("go")
        await behind.result()
        assert calls == ["old ship"]
        before = await ref.fork("charge")
        await before.signal("go")
        await before.result()
        assert calls[1:] == ["new invoice", "new stamp", "old ship"]


async def test_a_change_without_it_blocks_and_the_reason_names_it() -> None:
    @skill("pay")
    async def renamed(task: Task) -> str:
        await task.step("order", old, "order")
        await task.step("debit", old, "charge")
        return str(await task.signal("go"))

    with pytest.raises(TaskBlocked, match=r"or guard the change with task\.patched"):
        await deployed(pay_1, renamed, at="go")


async def test_a_name_is_a_text() -> None:
    @skill("names")
    async def names(task: Task) -> int:
        refused = 0
        for wrong in ("", "x" * 129, "a\nb", 5):
            try:
                task.patched(wrong)  # type: ignore[arg-type]
            except Refused:
                refused += 1
        return refused

    async with Cluster([names]) as cluster:
        assert await cluster.client.run("names") == 4


async def test_a_step_can_not_be_named_as_a_mark() -> None:
    @skill("pretends")
    async def pretends(task: Task) -> None:
        await task.step("patched:x", old, "x")

    async with Cluster([pretends]) as cluster:
        with pytest.raises(Exception, match="begins as those of sleeps, signals and marks"):
            await cluster.client.run("pretends")


async def test_the_answer_of_a_branch_that_woke_by_itself_is_on_record_too() -> None:
    woke = asyncio.Event()

    @skill("wakes")
    async def wakes(task: Task) -> str:
        async def branch() -> bool:
            await woke.wait()
            has = task.patched("p")
            await task.step("b", new, "b")
            return has

        return str(await asyncio.gather(branch(), task.signal("go")))

    async with Cluster([wakes]) as cluster:
        ref = await cluster.client.submit("wakes")
        await cluster.settle()
        assert (await cluster.client.task(ref.id)).status == "waiting"
        woke.set()
        await ref.signal("go", 1)
        assert await ref.result() == "[True, 1]"
        names = [step.name for step in (await cluster.client.task(ref.id)).steps or ()]
        assert names == ["patched:p", "b"]


# The kit's replayer knows it


async def test_the_replayer_takes_marks_for_what_they_are() -> None:
    async with Cluster([pay_2]) as cluster:
        ref = await cluster.client.submit("pay")
        await ref.signal("go")
        await ref.result()
        history = await cluster.client.history(ref.id)
    found = replay(history, pay_2)
    assert found.returned
    assert found.used == ("order", "invoice", "stamp", "ship")
    with pytest.raises(NondeterministicCode, match="invoice"):
        replay(history, pay_1)


async def test_the_replayer_replays_old_histories_through_guarded_code() -> None:
    async with Cluster([pay_1]) as cluster:
        ref = await cluster.client.submit("pay")
        await cluster.settle()
        history = await cluster.client.history(ref.id)
    assert replay(history, pay_2).used == ("order", "charge")


async def test_the_replayer_replays_each_run() -> None:
    counts = itertools.count(1)

    async def count() -> int:
        return next(counts)

    @skill("rounds")
    async def rounds(task: Task, n: int = 1) -> int:
        await task.step("count", count)
        if n < 3:
            await task.continue_as({"n": n + 1})
        return n

    async with Cluster([rounds]) as cluster:
        ref = await cluster.client.submit("rounds")
        await ref.result()
        history = await cluster.client.history(ref.id)
    last = replay(history, rounds)
    assert (last.returned, last.result, last.continued) == (True, 3, None)
    first = replay(history, rounds, run=1)
    assert (first.returned, first.used, first.continued) == (False, ("count",), {"n": 2})
    with pytest.raises(ValueError, match="3 runs"):
        replay(history, rounds, run=7)


async def test_sync_code_asks_in_a_process_too() -> None:
    async with Cluster([isolated.continues]) as cluster:
        assert await cluster.client.run("isolated-continues") == [2, True]


async def test_the_page_of_tasks_invoices_new_orders() -> None:
    async with Cluster([page("invoices.py").sell]) as cluster:
        assert await cluster.client.run("sell", {"order": "tea"}) == "tea is invoiced"
