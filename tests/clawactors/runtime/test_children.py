"""Children: their ids, their ends, cancels, limits; parents, nodes and leaders that die."""

import asyncio
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from clawactors import ChildFailed, Refused, SyncTask, Task, TaskFailed, TaskRequest, skill, spec_of
from clawactors.app.skills import load_skills
from clawactors.systems.tasks.children import CHILDREN
from clawactors.systems.tasks.events import Signalled, Submitted
from tests.clawactors.runtime.cluster import Cluster
from tests.clawactors.runtime.isolated import halves


@skill("double")
async def double(task: Task, n: int) -> int:
    if n < 0:
        raise ValueError(f"{n} is negative")
    return 2 * n


@skill("both")
async def both(task: Task) -> list[int]:
    return list(await asyncio.gather(task.run(double, {"n": 1}), task.run("double", {"n": 2})))


async def test_children_run_side_by_side_and_return_their_results() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [double, both])
        client = cluster.client()
        ref = await client.submit("both")
        assert await ref.result(5) == [2, 4]
        told = [event for event in cluster.events(ref.id) if getattr(event, "name", "") == CHILDREN]
        assert sum(len(event.payload) for event in told if hasattr(event, "payload")) == 2


def told(cluster: Cluster, id: str) -> list[str]:
    """The ids of the children whose ends the task was told, in their order."""
    signals = [each for each in cluster.events(id) if type(each) is Signalled and each.name == CHILDREN]
    return [end["id"] for signal in signals for end in signal.payload]


def children_of(cluster: Cluster, id: str) -> set[str]:
    commits = (commit for commit in cluster.commits() if commit.events)
    return {each.id for each in commits if type(first := each.events[0]) is Submitted and first.parent == id}


@skill("gated")
async def gated(task: Task, n: int = 0) -> int:
    await task.signal("go")
    return n


@skill("fan")
async def fan(task: Task, n: int) -> int:
    return sum(await asyncio.gather(*(task.run(gated, {"n": each}) for each in range(n))))


async def test_a_parent_that_waits_gives_its_slot_away_and_finds_the_same_children() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [gated, fan], slots=1)
        client = cluster.client()
        ref = await client.submit("fan", {"n": 3})
        await cluster.until(lambda: len(children_of(cluster, ref.id)) == 3, "three children")
        for child in children_of(cluster, ref.id):
            await client.signal(child, "go")
        assert await ref.result(8) == 3
        assert len(children_of(cluster, ref.id)) == 3
        assert sorted(told(cluster, ref.id)) == sorted(children_of(cluster, ref.id))


async def test_a_thousand_children_are_told_in_few_commits_and_survive_their_parents_node() -> None:
    begun: list[int] = []

    @skill("many")
    async def many(task: Task) -> int:
        begun.append(task.attempt)
        refs = await asyncio.gather(*(task.submit(double, {"n": n}) for n in range(1000)))
        if len(begun) == 1:
            await asyncio.sleep(60)  # until its node is killed
        return sum(await task.gather(refs))

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("p1", [many], slots=2)
        client = cluster.client()
        ref = await client.submit("many")
        await cluster.until(lambda: len(children_of(cluster, ref.id)) >= 100, "children of a running parent")
        await cluster.kill("node/p1")
        await cluster.node("n1", [double], slots=50)
        await cluster.node("p2", [many])
        assert await ref.result(20) == 999 * 1000
        assert sorted(told(cluster, ref.id)) == sorted(children_of(cluster, ref.id))
        assert len(told(cluster, ref.id)) == 1000
        commits = [commit for commit in cluster.commits(ref.id) if any(type(e) is Signalled for e in commit.events)]
        assert len(commits) < 200


async def test_the_next_leader_tells_what_the_last_one_did_not() -> None:
    async with Cluster() as cluster:
        await cluster.control("control/first")
        await cluster.node("n1", [gated, fan])
        client = cluster.client()
        ref = await client.submit("fan", {"n": 2})
        await cluster.until(lambda: cluster.task(ref.id).life.waiting_name == CHILDREN, "the parent waits")
        stuck, go = asyncio.Event(), asyncio.Event()
        cluster.links["control/first"].hold = (CHILDREN.encode(), stuck, go)  # told, but never appended
        for child in children_of(cluster, ref.id):
            await client.signal(child, "go")
        async with asyncio.timeout(8):
            await stuck.wait()
        await cluster.kill("control/first")
        assert told(cluster, ref.id) == []
        await cluster.control("control/second")
        assert await ref.result(8) == 1
        assert sorted(told(cluster, ref.id)) == sorted(children_of(cluster, ref.id))


async def test_a_cancelled_parent_cancels_its_children_and_theirs_but_for_those_left() -> None:
    @skill("middle")
    async def middle(task: Task) -> Any:
        return await task.run(gated)

    @skill("top")
    async def top(task: Task) -> Any:
        await task.submit(gated, {"n": 1}, on_parent_cancel="leave")
        return await task.run(middle)

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [gated, middle, top])
        client = cluster.client()
        ref = await client.submit("top")
        await cluster.until(lambda: len(children_of(cluster, ref.id)) == 2, "its children")
        by_skill = {spec.skill: each for each in children_of(cluster, ref.id) if (spec := cluster.task(each).spec)}
        left, middle_id = by_skill["gated"], by_skill["middle"]
        await cluster.until(lambda: children_of(cluster, middle_id), "a grandchild")
        (grandchild,) = children_of(cluster, middle_id)
        await client.cancel(ref.id)
        for each in (ref.id, middle_id, grandchild):
            await cluster.until_status(each, "cancelled")
        assert cluster.task(left).life.status not in ("cancelled", "completed")
        await client.signal(left, "go")
        await cluster.until_status(left, "completed")


async def test_a_child_that_comes_after_the_cancel_of_its_parent_is_cancelled_too() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        client = cluster.client()
        parent = await client.submit("nobody")
        await client.cancel(parent.id)
        spec = replace(spec_of("nobody"), parent=parent.id)
        await client.submit_many([TaskRequest("late", spec)])
        await cluster.until_status("late", "cancelled")


async def test_a_failed_child_fails_its_parent_at_once_and_says_which() -> None:
    @skill("risky")
    async def risky(task: Task) -> Any:
        return await asyncio.gather(task.run(double, {"n": -1}), task.run(gated))

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [double, gated, risky])
        ref = await cluster.client().submit("risky")
        with pytest.raises(TaskFailed) as failed:
            await ref.result(8)
        assert failed.value.status == "failed"
        assert "-1 is negative" in str(failed.value)
        assert "claw retry c-" in str(failed.value)
        for child in children_of(cluster, ref.id):
            await cluster.until_status(child, "failed", "cancelled")


GATHERS = [
    ({"need": 2}, [0, 2, None], ["completed", "completed", "cancelled"]),
    ({"need": 2, "on_failure": "ignore"}, [0, 2, None], ["completed", "completed", "waiting"]),
]


@pytest.mark.parametrize(("wishes", "results", "statuses"), GATHERS)
async def test_gather_returns_once_enough_have_completed(
    wishes: dict[str, Any], results: list[Any], statuses: list[str]
) -> None:
    @skill("quorum")
    async def quorum(task: Task) -> Any:
        refs = [await task.submit(double, {"n": n}) for n in range(2)] + [await task.submit(gated)]
        return [*await task.gather(refs, **wishes), [ref.id for ref in refs]]

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [double, gated, quorum])
        *found, ids = await (await cluster.client().submit("quorum")).result(8)
        assert found == results
        for id, status in zip(ids, statuses, strict=True):
            await cluster.until_status(id, status)


@pytest.mark.parametrize("on_failure", ["cancel", "wait", "ignore"])
async def test_gather_when_a_child_fails(on_failure: Any) -> None:
    @skill("some")
    async def some(task: Task) -> Any:
        refs = [await task.submit(double, {"n": -1}), await task.submit(gated, {"n": 5})]
        if on_failure != "cancel":
            await task.step("go", lambda: None)
        try:
            found = await task.gather(refs, on_failure=on_failure)
        except TaskFailed as failed:
            return ["raised", failed.status, refs[1].id]
        return [type(found[0]).__name__, found[1], refs[1].id]

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [double, gated, some])
        client = cluster.client()
        ref = await client.submit("some")
        if on_failure != "cancel":
            await cluster.until(lambda: len(children_of(cluster, ref.id)) == 2, "two children")
            for child in children_of(cluster, ref.id):
                if (spec := cluster.task(child).spec) is not None and spec.skill == "gated":
                    await client.signal(child, "go")
        *found, other = await ref.result(8)
        assert found == {"ignore": ["ChildFailed", 5]}.get(on_failure, ["raised", "failed"])
        await cluster.until_status(other, "cancelled" if on_failure == "cancel" else "completed")


async def test_a_timeout_around_a_child_cancels_it_and_the_code_goes_on() -> None:
    @skill("hasty")
    async def hasty(task: Task) -> str:
        try:
            async with asyncio.timeout(0.05):
                await task.run(gated)
        except TimeoutError:
            return "went on"
        return "waited"

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [gated, hasty])
        ref = await cluster.client().submit("hasty")
        assert await ref.result(8) == "went on"
        (child,) = children_of(cluster, ref.id)
        await cluster.until_status(child, "cancelled")


async def test_limits_and_wrong_calls_are_refused_with_the_way_out() -> None:
    said: list[str] = []

    @skill("wrong")
    async def wrong(task: Task) -> None:
        for call in (
            lambda: task.run("no\nskill"),
            lambda: task.run(double, {"n": 1}, key="#1"),
            lambda: task.run(double, {"n": 1}, on_parent_cancel="kill"),  # type: ignore[arg-type]
            lambda: task.gather([], need=1),
            lambda: task.gather([], on_failure="stop"),  # type: ignore[arg-type]
            lambda: task.gather([], need="one"),  # type: ignore[arg-type]
            lambda: task.gather(["id"]),  # type: ignore[list-item]
            lambda: task.gather(5),  # type: ignore[arg-type]
            lambda: task.run(double.call(1), {"n": 1}),
            lambda: task.run(double, {"n": 1}, retries=2),  # type: ignore[call-arg]
        ):
            with pytest.raises((Refused, TypeError)) as refused:
                await call()  # type: ignore[no-untyped-call]
            said.append(str(refused.value))
        await task.run(double, {"n": 1}, key="a")
        with pytest.raises(Refused, match="the key 'a' for two children"):
            await task.run(double, {"n": 1}, key="a")

    @skill("deep")
    async def deep(task: Task) -> int:
        try:
            return 1 + await task.run(deep)
        except Refused as refused:
            said.append(str(refused))
            return 1

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [double, wrong, deep], slots=50)
        client = cluster.client()
        assert await client.run("wrong", wait_s=8) is None
        assert len(said) == 10
        assert "takes what task.submit returns, not 'id'" in said[6]
        assert "not 5" in said[7]
        assert "takes the parameters in the call" in said[8]
        assert "max_retries" in said[-1]
        assert await client.run("deep", wait_s=20) == 33
        assert "32 is the limit" in said[-1]


def family(task: SyncTask, n: int = 0) -> list[Any]:
    """What sync code does with children, and what it gets."""
    refs = [task.submit("double", {"n": each}) for each in (1, 2)]
    one = task.run(double, {"n": 10})
    try:
        task.run(double, {"n": -1})
    except ChildFailed as failed:
        said = failed.status
    all_of_them = task.gather([*refs, task.submit("double", {"n": -1})], on_failure="ignore")
    return [one, said, all_of_them[:2], type(all_of_them[2]).__name__, refs[0].result()]


threaded = skill("threaded")(family)


async def test_sync_code_has_children_too() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [double, threaded])
        found = await (await cluster.client().submit("threaded")).result(8)
        assert found == [20, "failed", [2, 4], "ChildFailed", 2]


@dataclass
class Priced:
    """What a child returns."""

    at: date
    price: Decimal


@skill("price")
async def price(task: Task, day: date) -> Priced:
    if day.year < 2000:
        raise ValueError("too old")
    return Priced(day, Decimal("9.50"))


OLD, NEW = {"day": date(1999, 1, 1)}, {"day": date(2026, 1, 1)}
ROW = {"at": "2026-01-01", "price": "9.50"}


@skill("prices")
async def prices(task: Task) -> None:
    refs = [await task.submit(price, params) for params in (NEW, OLD)]
    *found, failed = [await task.run(price, NEW), *await task.gather(refs, need=1, on_failure="wait")]
    assert [*found, await refs[0]] == [Priced(NEW["day"], Decimal("9.50"))] * 3
    assert isinstance(failed, ChildFailed)
    assert await task.run(price.call(NEW["day"])) == found[0]
    assert await task.run("price", NEW) == ROW


@skill("sync-prices")
def sync_prices(task: SyncTask) -> None:
    refs = [task.submit(price, params) for params in (NEW, OLD)]
    *found, failed = [task.run(price, NEW), *task.gather(refs, need=1, on_failure="wait")]
    assert [*found, refs[0].result()] == [Priced(NEW["day"], Decimal("9.50"))] * 3
    assert isinstance(failed, ChildFailed)
    assert task.run(price.call(NEW["day"])) == found[0]
    assert task.run("price", NEW) == ROW
    with pytest.raises(Refused, match="takes what task"):
        task.gather([5])  # type: ignore[list-item]


@pytest.mark.parametrize("parent", [prices, sync_prices], ids=["async", "sync"])
async def test_children_of_a_skill_at_hand_return_what_it_is_annotated_with(parent: Any) -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [price, parent])
        assert await cluster.client().run(parent, wait_s=8) is None


async def test_isolated_code_has_children_too() -> None:
    @skill("half")
    async def half(task: Task, n: int) -> int:
        if n % 2:
            raise ValueError(f"{n} is odd")
        return n // 2

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [half, halves])
        one, other, failed = await (await cluster.client().submit("halves")).result(15)
        assert (one, other) == (4, 1)
        assert "3 is odd" in failed


async def test_the_skills_of_the_page_run_as_it_says(tmp_path: Path) -> None:
    page = Path(__file__).parents[3].joinpath("docs", "tasks.md").read_text("utf-8")
    (source,) = re.findall(r"```python\n# children\.py\n(.*?)```", page, re.DOTALL)
    (tmp_path / "children.py").write_text(source, "utf-8")
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", load_skills([str(tmp_path / "children.py")]))
        client = cluster.client()
        urls = ["a", "b", "c"]
        found = await client.run("digest", {"urls": urls}, wait_s=8)
        assert found == [f"summary of {url}" for url in (*urls, "the end")]
        assert await client.run("majority", {"urls": urls}, wait_s=8) >= 2
