"""A recorded history is replayed against changed code: what would block or surprise a running task is named."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clawactors import Retry, Skill, SyncTask, Task, skill
from clawactors.testing import Cluster, NondeterministicCode, replay

ran: list[str] = []


def act(what: str) -> str:
    ran.append(what)
    return what.upper()


@skill("order")
async def order(task: Task, item: str) -> str:
    await task.step("reserve", act, item)
    await task.sleep("3d")
    paid = await task.signal("paid", timeout="7d")
    await task.step("ship", act, f"{item} {paid}")
    return "shipped"


async def history_of(
    code: Skill, params: dict[str, Any] | None = None, *, signals: tuple[str, ...] = (), to: str = "end"
) -> list[dict[str, Any]]:
    """What is on record when the task has ended, or has nothing left to do for now."""
    async with Cluster([code]) as cluster:
        ref = await cluster.client.submit(code.name, params, id="t")
        for name in signals:
            await ref.signal(name, name)
        await (cluster.sleep("99d") if to == "end" else cluster.settle())
        entries = await cluster.client.history("t")
    ran.clear()
    decoded: list[dict[str, Any]] = json.loads(msgspec.json.encode([entry.row for entry in entries]))
    return decoded


async def test_unchanged_code_fits_and_no_step_is_called() -> None:
    history = await history_of(order, {"item": "book"}, signals=("paid",))
    replayed = replay(history, order)
    assert (replayed.returned, replayed.result) == (True, "shipped")
    assert (replayed.used, replayed.beyond) == (("reserve", "ship"), ())
    assert not ran


async def test_a_history_fits_wherever_it_was_taken() -> None:
    history = await history_of(order, {"item": "book"}, signals=("paid",))
    for length in range(1, len(history) + 1):
        replayed = replay(history[:length], order)
        assert (replayed.used + replayed.beyond) in (("reserve",), ("reserve", "ship"))


@pytest.mark.parametrize("form", ["entries", "rows", "text", "file"])
async def test_a_history_comes_as_the_client_or_the_command_gives_it(form: str, tmp_path: Path) -> None:
    async with Cluster([order]) as cluster:
        await cluster.client.submit("order", {"item": "book"}, id="t")
        await cluster.settle()
        entries = await cluster.client.history("t")
    rows = [entry.row for entry in entries]
    text = msgspec.json.encode(rows)
    (tmp_path / "h.json").write_bytes(text)
    history: Any = {"entries": entries, "rows": rows, "text": text.decode(), "file": tmp_path / "h.json"}[form]
    assert not replay(history, order).returned


async def test_a_task_that_still_waits_may_go_on_in_another_way() -> None:
    @skill("order")
    async def longer(task: Task, item: str) -> str:
        await task.step("reserve", act, item)
        await task.sleep("3d")
        await task.step("remind", act, item)
        return "reminded"

    waiting = await history_of(order, {"item": "book"}, to="wait")
    assert replay(waiting, longer).used == ("reserve",)
    async with Cluster([order]) as cluster:
        await cluster.client.submit("order", {"item": "book"}, id="t")
        await cluster.sleep("4d")
        history = await cluster.client.history("t")
    assert replay(history, longer).beyond == ("remind",)
    ended = await history_of(order, {"item": "book"}, signals=("paid",))
    with pytest.raises(NondeterministicCode, match="takes step 'remind', where step 'ship' is on record") as caught:
        replay(ended, longer)
    assert caught.value.step == "remind"
    assert type(caught.value).__module__ == "clawactors.testing"


def changed(do: Callable[[Task, str], Any]) -> Skill:
    @skill("order")
    async def code(task: Task, item: str) -> Any:
        return await do(task, item)

    return code


async def renamed(task: Task, item: str) -> Any:
    await task.step("book", act, item)


async def other_arguments(task: Task, item: str) -> Any:
    await task.step("reserve", act, item + "!")


async def other_function(task: Task, item: str) -> Any:
    await task.step("reserve", str.upper, item)


async def shorter(task: Task, item: str) -> Any:
    await task.step("reserve", act, item)
    await task.sleep("3d")
    return "early"


async def inserted(task: Task, item: str) -> Any:
    await task.step("check", len, item)
    await task.step("reserve", act, item)


async def appended(task: Task, item: str) -> Any:
    await order(task, item)
    await task.step("thank", act, "thanks")


async def raising(task: Task, item: str) -> Any:
    await task.step("reserve", act, item)
    raise LookupError("no price")


async def without_sleep(task: Task, item: str) -> Any:
    await task.step("reserve", act, item)
    paid = await task.signal("paid", timeout="7d")
    await task.step("ship", act, f"{item} {paid}")


async def one_wait_more(task: Task, item: str) -> Any:
    await task.step("reserve", act, item)
    await task.signal("approved")


@pytest.mark.parametrize(
    ("code", "step", "words"),
    [
        (renamed, "book", "recorded as step 'reserve'"),
        (other_arguments, "reserve", "other arguments"),
        (other_function, "reserve", "now calls str.upper"),
        (shorter, "ship", "returns without step 'ship'"),
        (inserted, "check", "takes step 'check', where step 'reserve' is on record"),
        (appended, "thank", "the recorded run has completed"),
        (raising, "ship", "no price"),
        (without_sleep, "", "sleeps 0 times, where 1"),
        (one_wait_more, "ship", "the code waits"),
    ],
)
async def test_a_difference_is_named(code: Callable[[Task, str], Any], step: str, words: str) -> None:
    history = await history_of(order, {"item": "book"}, signals=("paid",))
    with pytest.raises(NondeterministicCode, match=words) as caught:
        replay(history, changed(code))
    assert caught.value.step == step
    assert not ran


async def test_parallel_steps_are_compared_by_name_not_by_order() -> None:
    @skill("wide")
    async def wide(task: Task) -> int:
        return sum(await asyncio.gather(*[task.step(f"s{n}", abs, n) for n in range(20)]))

    @skill("wide")
    async def backwards(task: Task) -> int:
        return sum(await asyncio.gather(*[task.step(f"s{n}", abs, n) for n in reversed(range(21))]))

    history = await history_of(wide)
    assert replay(history, wide).result == 190
    with pytest.raises(NondeterministicCode, match="s20"):
        replay(history, backwards)


async def test_sync_code_and_retries_and_cleanup_are_replayed() -> None:
    failures = iter((True, False))

    def shaky() -> str:
        if next(failures):
            raise ConnectionError("no route")
        return "there"

    @skill("sync", retry=Retry(wait_s=60))
    def sync(task: SyncTask) -> str:
        task.step("first", act, "a")
        try:
            return task.step("shaky", shaky)
        except ConnectionError:
            task.step("cleanup", act, "c")
            raise

    history = await history_of(sync)
    assert [entry["type"] for entry in history].count("step.completed") == 3
    assert replay(history, sync).result == "there"


async def test_a_failure_that_the_code_caught_is_raised_again() -> None:
    @skill("caught")
    async def caught(task: Task) -> str:
        try:
            await task.step("bad", int, "x")
        except Exception as error:
            await task.step("note", act, "noted")
            return type(error).__name__
        return "good"

    history = await history_of(caught)
    replayed = replay(history, caught)
    assert replayed.used == ("bad", "note")
    assert not ran


async def test_a_cancelled_and_a_failed_task_are_replayed_up_to_there() -> None:
    @skill("bad")
    async def bad(task: Task) -> None:
        await task.step("one", act, "1")
        raise ValueError("as ever")

    assert replay(await history_of(bad), bad).used == ("one",)
    async with Cluster([order]) as cluster:
        ref = await cluster.client.submit("order", {"item": "book"})
        await cluster.settle()
        await ref.cancel()
        await cluster.settle()
        assert (await cluster.client.task(ref.id)).status == "cancelled"
        history = await cluster.client.history(ref.id)
    assert replay(history, order).used == ("reserve",)


async def test_code_that_uses_its_id_is_given_it() -> None:
    @skill("named")
    async def named(task: Task) -> str:
        return await task.step("act", act, task.id)

    history = await history_of(named)
    assert replay(history, named, id="t").result == "T"
    with pytest.raises(NondeterministicCode, match="other arguments"):
        replay(history, named)


@skill("part")
async def part(task: Task, n: int) -> int:
    await task.sleep("1d")
    return n


@skill("whole")
async def whole(task: Task) -> int:
    return sum(await asyncio.gather(*[task.run("part", {"n": n}) for n in range(20)]))


@skill("whole")
async def whole_and_more(task: Task) -> int:
    return sum(await asyncio.gather(*[task.run("part", {"n": n}) for n in range(21)]))


async def test_children_that_ended_are_taken_from_the_record() -> None:
    async with Cluster([whole, part], nodes=2) as cluster:
        ref = await cluster.client.submit("whole", id="t")
        await cluster.settle()
        open_record = await cluster.client.history("t")
        assert await ref.result() == 190
        history = await cluster.client.history("t")
    assert replay(history, whole, id="t").result == 190
    assert not replay(open_record, whole_and_more, id="t").returned
    with pytest.raises(NondeterministicCode, match=r"the code waits .*, where the recorded run has completed"):
        replay(history, whole_and_more, id="t")


def test_a_history_is_replayed_in_a_test_that_is_not_async() -> None:
    history = asyncio.run(history_of(order, {"item": "book"}, to="wait"))
    assert replay(history, order).used == ("reserve",)


@pytest.mark.parametrize(
    "history",
    [
        [],
        "{",
        "[]",
        b"\xff",
        [{"type": "task.started"}],
        [{"seq": 1, "at": "2026-01-01T00:00:00Z", "type": "step.completed"}],
    ],
)
def test_what_is_no_history_is_refused(history: Any) -> None:
    with pytest.raises(ValueError, match=r"claw task ID --history --json"):
        replay(history, order)
