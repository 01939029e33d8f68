"""What newcomers trip over: steps that are cut short or given up, and calls with what they do not take."""

import asyncio
import threading
from datetime import UTC, date, datetime
from typing import Any, TypedDict

import numpy as np
import pytest

from clawactors import Refused, SyncTask, Task, skill, step
from clawactors.runtime.node.steptime import GIVEN_UP
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.row import row
from clawactors.testing import Cluster as KitCluster
from clawactors.testing import replay
from tests.clawactors.runtime.cluster import Cluster, Stage

undone: list[str] = []


def put_back(taken: str, item: str) -> None:
    undone.append(item)


def told(stage: Cluster) -> list[tuple[str, str]]:
    return [(each["name"], each["status"]) for each in row("t", 1, stage.task("t"))["steps"]]


@pytest.mark.parametrize("undo", [False, True])
async def test_a_step_that_a_cancel_cuts_short_leaves_a_row(stage: Stage, undo: bool) -> None:
    began = asyncio.Event()

    async def ship() -> None:
        began.set()
        await asyncio.Event().wait()

    @skill("x")
    async def x(task: Task) -> None:
        await task.step(str.upper, "a")
        await task.step(ship)

    run = stage.begin(attempt := await stage.assign(x))
    await began.wait()
    await stage.until_event("t", "step.completed")
    await stage.tell("t", c.Cancel("ada", undo))
    await stage.hear(attempt)
    await run
    assert stage.task("t").life.status == "cancelled"
    assert told(stage) == [("upper", "completed"), ("ship", "interrupted")]


async def test_a_step_that_its_code_gives_up_may_be_taken_again(stage: Stage) -> None:
    async def fetch(patient: bool) -> str:
        await asyncio.sleep(0 if patient else 30)
        return "fetched"

    @skill("x")
    async def x(task: Task) -> str:
        try:
            async with asyncio.timeout(0.01):
                await task.step("fetch", fetch, False)
        except TimeoutError:
            return await task.step("fetch", fetch, True)
        return "never"

    assert (await stage.run(x)).life.result == "fetched"
    entries = [(each.status, each.error) for each in stage.task("t").journal]
    assert entries == [("failed", GIVEN_UP), ("completed", "")]


async def test_a_step_in_a_thread_that_ends_after_its_code_is_undone_with_the_others() -> None:
    undone.clear()
    began, go_on = threading.Event(), threading.Event()

    @step(undo=put_back)
    def take(item: str) -> str:
        began.set()
        go_on.wait(5)
        return item

    @skill("x", on_failure="compensate")
    async def x(task: Task) -> None:
        taking = asyncio.create_task(take(task, "book"))
        await asyncio.to_thread(began.wait, 5)
        asyncio.get_running_loop().call_later(0.02, go_on.set)
        raise ValueError(f"sold out beside {taking.get_name()}")

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [x])
        await cluster.client().submit("x", id="t")
        await cluster.until_status("t", "failed")
        assert undone == ["book"]
        assert told(cluster) == [("take@1", "compensated")]


async def test_code_that_waits_in_a_queue_while_another_branch_sleeps_parks() -> None:
    @skill("x")
    async def x(task: Task) -> list[int]:
        queue: asyncio.Queue[int | None] = asyncio.Queue(1)
        got = list[int]()

        async def produce() -> None:
            for number in (1, 2):
                await queue.put(await task.step(f"s{number}", abs, number))
                await task.sleep(3600)
            await queue.put(None)

        async def consume() -> list[int]:
            while (number := await queue.get()) is not None:
                await asyncio.sleep(0.001)
                got.append(number)
            return got

        async def copy(consuming: "asyncio.Task[list[int]]") -> list[int]:
            return [*await consuming]

        async with asyncio.TaskGroup() as group:
            group.create_task(produce())
            copying = group.create_task(copy(group.create_task(consume())))
        return await copying

    async with KitCluster([x]) as kit:
        assert await kit.client.run("x", wait_s=8) == [1, 2]


async def test_a_task_is_called_in_the_loop_of_its_node(stage: Stage) -> None:
    @skill("x")
    async def x(task: Task) -> int:
        return await asyncio.to_thread(lambda: asyncio.run(task.step(abs, -1)))

    error = (await stage.run(x)).life.error
    assert error is not None
    assert "a task belongs to the event loop of its node" in error.message


def itself() -> Any:
    above: dict[str, Any] = {}
    above["below"] = [above]
    return above


def deep() -> Any:
    value: list[Any] = []
    for _ in range(5_000):
        value = [value]
    return value


class Markup(str):
    """As texts of template engines and of HTML parsers are."""

    __slots__ = ()


def when() -> datetime:
    return "tomorrow"  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (itself, "it holds itself: a cycle has no end in JSON"),
        (deep, "nested"),
        (lambda: "a\ud800", r"it has a text with '\ud800', half of a character"),
        (lambda: {(1, 2): 3}, "it has a dict with the key (1, 2): make the keys texts"),
        ({"a": 1}.values, "return list(…) of it"),
        (lambda: np.float64("nan"), "nan is a number that is not finite"),
        (lambda: np.array([1]), "return its .tolist()"),
        (when, "is no datetime, as it is annotated: Invalid RFC3339 encoded datetime: 'tomorrow'"),
    ],
)
async def test_a_value_that_can_not_be_kept_is_refused_in_words_of_its_author(
    stage: Stage, value: Any, text: str
) -> None:
    @skill("x")
    async def x(task: Task) -> None:
        await task.step("s", value)

    error = (await stage.run(x)).life.error
    assert error is not None
    assert text in error.message


async def test_what_only_differs_by_its_class_is_kept(stage: Stage) -> None:
    @skill("x")
    async def x(task: Task) -> list[Any]:
        return [np.float64(0.5), np.int64(3), np.bool_(True), np.array(4), Markup("a"), {Markup("k"): np.float32(0.25)}]

    assert (await stage.run(x)).life.result == [0.5, 3, True, 4, "a", {"k": 0.25}]


class Frozen(datetime):
    """As clocks that stand still for tests, and times of pandas, are."""


class Trip(TypedDict, total=False):
    day: date


def trip() -> Trip:
    return {"day": date(2026, 1, 2)}


async def test_times_of_other_classes_and_those_in_a_typed_dict_come_back(stage: Stage) -> None:
    @skill("x")
    async def x(task: Task) -> list[Any]:
        assert await task.step(trip) == {"day": date(2026, 1, 2)}
        return [Frozen(2026, 1, 2, tzinfo=UTC)]

    assert (await stage.run(x)).life.result == ["2026-01-02T00:00:00Z"]


async def test_an_approval_that_its_code_gave_up_ends_with_the_task() -> None:
    @skill("x")
    async def x(task: Task) -> str:
        try:
            async with asyncio.timeout(0.05):
                await task.approve("go?")
        except TimeoutError:
            return "gave up"
        return "went"

    async with KitCluster([x]) as kit:
        assert await kit.client.run("x", wait_s=8) == "gave up"
        assert await kit.client.approvals() == []
        with pytest.raises(Refused, match="a comment is a text"):
            await kit.client.approve("t", comment="\ud800")


async def test_a_parameter_that_does_not_fit_is_shown(stage: Stage) -> None:
    @skill("x")
    async def x(task: Task, days: list[datetime]) -> None: ...

    error = (await stage.run(x, {"days": ["2026-01-01T00:00:00Z", "noon"]})).life.error
    assert error is not None
    assert "Invalid RFC3339 encoded datetime: 'noon' - at `$.days[1]`" in error.message


@pytest.mark.parametrize("done", ["x", None, float("nan"), [1]])
@pytest.mark.parametrize("in_thread", [False, True])
async def test_progress_that_is_no_number_is_refused(stage: Stage, done: Any, in_thread: bool) -> None:
    @skill("x")
    async def in_loop(task: Task) -> None:
        task.progress(np.int64(1), 4)
        task.progress(done)

    @skill("x")
    def threaded(task: SyncTask) -> None:
        task.progress(np.int64(1), 4)
        task.progress(done)

    error = (await stage.run(threaded if in_thread else in_loop)).life.error
    assert error is not None
    assert "task.progress takes two numbers, as in task.progress(3, 10)" in error.message
    assert "test_edges.py" in error.message


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"by": "ops"}, "by is a list of names, as in ['ops'], not 'ops'"),
        ({"by": None}, "by is a list of names"),
        (
            {"by": ["grace hopper"]},
            "no user is named 'grace hopper': letters, digits, '-' or '_'; write 'grace-hopper-9d3d28f9e54330d7'",
        ),
        ({"by": [""]}, "no user is named ''"),
        ({"by": ["a"] * 101}, "by has 101 names; 100 are the most"),
        ({"remind": 0}, "remind is how often people are reminded, every second at most, not 0"),
        ({"remind": "10ms"}, "remind is how often people are reminded"),
    ],
)
@pytest.mark.parametrize("in_thread", [False, True])
async def test_an_approval_that_nobody_could_give_is_refused(
    stage: Stage, asked: dict[str, Any], text: str, in_thread: bool
) -> None:
    @skill("x")
    async def in_loop(task: Task) -> None:
        await task.approve("go?", **asked)

    @skill("x")
    def threaded(task: SyncTask) -> None:
        task.approve("go?", **asked)

    error = (await stage.run(threaded if in_thread else in_loop)).life.error
    assert error is not None
    assert text in error.message


async def test_children_are_gathered_as_a_list_or_one_by_one() -> None:
    @skill("double")
    async def double(task: Task, n: int) -> int:
        return 2 * n

    @skill("x")
    async def x(task: Task) -> list[Any]:
        refs = [await task.submit(double, {"n": n}) for n in range(3)]
        return [await task.gather(refs), await task.gather(*refs), await task.gather(refs[0]), await task.gather()]

    @skill("y")
    def y(task: SyncTask) -> list[Any]:
        refs = [task.submit(double, {"n": n}) for n in range(3)]
        return [task.gather(refs), task.gather(*refs), task.gather(refs[0]), task.gather()]

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [double, x, y])
        for code in (x, y):
            assert await cluster.client().run(code, wait_s=8) == [[0, 2, 4], [0, 2, 4], [0], []]


async def test_a_signal_to_a_task_with_a_long_journal_reads_none_of_it() -> None:
    async with Cluster() as cluster:
        control = await cluster.control()
        client = cluster.client()
        ref = await client.submit("nobody", id="t")
        for number in range(5):
            await ref.signal("go", number)
        loaded: list[bool] = []
        load = control.snapshots.load

        async def spied(kind: Any, id: str, *, at_least: int = 0, brief: bool = False) -> Any:
            loaded.extend([brief] if kind is TASKS else [])
            return await load(kind, id, at_least=at_least, brief=brief)

        control.snapshots.load = spied  # type: ignore[method-assign]
        await ref.signal("go", 5)
        await ref.pause()
        await ref.resume()
        await ref.cancel()
        assert loaded
        assert all(loaded)
        assert [entry.result for entry in cluster.task("t").journal] == list(range(6))
        assert cluster.task("t").life.status == "cancelled"


async def test_the_kit_and_triggers_say_what_they_take() -> None:
    @skill("x")
    async def x(task: Task) -> int:
        return 1

    wrong: Any
    for wrong in (x, [x.function], "x", [None]):
        with pytest.raises(TypeError, match=r"skills are a list of functions with @skill, as in \[order\]"):
            KitCluster(wrong)
    async with KitCluster([x]) as kit:
        await kit.client.run("x", id="t")
        history = await kit.client.history("t")
        with pytest.raises(TypeError, match="skills are a list"):
            replay(history, x.function)
        wrong = None
        with pytest.raises(ValueError, match=r"begins with task\.submitted"):
            replay(wrong, x)
        wrong = 5
        with pytest.raises(Refused, match="where of a trigger is a text, not 5"):
            await kit.client.triggers.add("t", on="task.completed", submit="x", where=wrong)
