"""Steps name themselves, carry policies of their own, and show that they run."""

import asyncio
import re
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from clawactors import Retry, SyncTask, Task, skill, step
from clawactors.runtime.node import steptime
from clawactors.runtime.node.naming import StepNames
from clawactors.systems.skills import Skill
from clawactors.systems.tasks.row import row
from tests.clawactors.runtime.cluster import Cluster, Stage

calls: list[Any] = []


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    calls.clear()


def double(n: int) -> int:
    """Not a step by itself."""
    calls.append(n)
    return 2 * n


@step
async def greet(name: str, mark: str = "!") -> str:
    """Greets."""
    calls.append(name)
    return f"Hello {name}{mark}"


@step(name="lookup", retry=Retry(2, wait_s=0.001))
def flaky(wanted: int) -> int:
    """Comes up the third time."""
    calls.append(wanted)
    if len(calls) < 3:
        raise RuntimeError("not yet")
    return wanted


def names_of(stage: Stage) -> list[str]:
    return [entry.name for entry in stage.task("t").journal.steps()]


def test_a_name_is_numbered_from_its_second_use_on_in_each_branch() -> None:
    names = StepNames()
    assert [names.next("a"), names.next("b"), names.next("a"), names.next("a", "1.2"), names.next("a", "1.2")] == [
        "a",
        "b",
        "a#2",
        "a@1.2",
        "a@1.2#2",
    ]


@skill("auto")
async def auto(task: Task) -> list[Any]:
    """Names no step."""
    first = await task.step(double, 1)
    second = await task.step(double, 2)
    named = await task.step("mine", double, 3)
    return [first, second, named, await greet(task, "Ada"), await task.step(greet, "Bob", mark="?")]


async def test_steps_name_themselves_and_a_resume_finds_them(stage: Stage) -> None:
    wanted = [2, 4, 6, "Hello Ada!", "Hello Bob?"]
    task = await stage.run(auto)
    assert task.life.result == wanted
    assert names_of(stage) == ["double", "double#2", "mine", "greet", "greet#2"]
    assert calls == [1, 2, 3, "Ada", "Bob"]


async def test_a_resume_takes_no_step_again(stage: Stage) -> None:
    broken = True

    @skill("auto")
    async def breaks(task: Task) -> list[Any]:
        done = [await task.step(double, n) for n in (1, 2, 3)]
        if broken:
            raise ConnectionError("later")
        return done

    await stage.run(breaks)
    broken = False
    assert (await stage.run(breaks)).life.result == [2, 4, 6]
    assert calls == [1, 2, 3]
    assert names_of(stage) == ["double", "double#2", "double#3"]


@skill("sync-auto")
def sync_auto(task: SyncTask) -> list[Any]:
    """In a thread."""
    return [task.step(double, 1), task.step(double, 2), task.step(flaky, 7), flaky(task, wanted=8)]


async def test_sync_code_has_the_same_names(stage: Stage) -> None:
    assert (await stage.run(sync_auto)).life.result == [2, 4, 7, 8]
    assert names_of(stage) == ["double", "double#2", "lookup", "lookup#2"]


async def test_a_step_brings_its_retry_policy(stage: Stage) -> None:
    @skill("x")
    async def x(task: Task) -> int:
        return await task.step(flaky, 5)

    assert (await stage.run(x)).life.result == 5
    assert calls == [5, 5, 5]


async def test_outside_of_a_task_a_step_is_the_plain_function() -> None:
    assert await greet("Eve") == "Hello Eve!"
    assert flaky.__name__ == "flaky"
    assert flaky.__doc__ == "Comes up the third time."
    with pytest.raises(RuntimeError):
        flaky(1)


async def test_a_step_that_takes_too_long_fails_as_a_timeout(stage: Stage) -> None:
    gone = threading.Event()

    @step(timeout=0.02)
    async def hangs() -> None:
        await asyncio.Event().wait()

    @step(timeout="0.02s")
    def hangs_too() -> None:
        gone.wait(5)

    @skill("x", retry=Retry(0))
    async def x(task: Task, which: str) -> None:
        await task.step(hangs if which == "async" else hangs_too)

    @skill("y", retry=Retry(0))
    def y(task: SyncTask) -> None:
        task.step(hangs_too)

    cases: list[tuple[Skill, dict[str, Any], str]] = [
        (x, {"which": "async"}, "hangs"),
        (x, {"which": "sync"}, "hangs_too"),
        (y, {}, "hangs_too"),
    ]
    try:
        for number, (what, params, name) in enumerate(cases):
            error = (await stage.run(what, params, id=f"t{number}")).life.error
            assert error is not None
            assert error.kind == "timeout"
            assert f"step {name!r} took longer than its timeout of 0.02 s" in error.message
    finally:
        gone.set()


async def test_a_timeout_that_the_code_raises_is_its_own(stage: Stage) -> None:
    @step(timeout=60)
    async def fetch() -> None:
        raise TimeoutError("the server says so")

    @skill("x", retry=Retry(0))
    async def x(task: Task) -> None:
        await task.step(fetch)

    error = (await stage.run(x)).life.error
    assert error is not None
    assert "the server says so" in error.message


def test_what_no_step_can_be_is_said_at_once() -> None:
    with pytest.raises(ValueError, match="a timeout is more than 0 s"):
        step(double, timeout=0)
    with pytest.raises(ValueError, match="step 'double': timeout"):
        step(double, timeout="fast")
    with pytest.raises(TypeError, match="a step is a function, not int"):
        step(3)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="at the top of its module"):
        step(double, undo=lambda result: None)


async def test_what_is_no_function_is_refused(stage: Stage) -> None:
    @skill("x")
    async def x(task: Task, given: list[Any]) -> None:
        await task.step(*given)

    for number, given in enumerate(([5], ["name"], ["name", 5])):
        error = (await stage.run(x, {"given": given}, id=f"t{number}")).life.error
        assert error is not None
        assert "task.step takes a function, or a name and a function" in error.message


async def test_progress_follows_the_plan(stage: Stage) -> None:
    @skill("x")
    async def x(task: Task) -> None:
        task.plan(["mine", double, greet, "never"])
        await task.step("mine", double, 1)
        await task.step(double, 2)
        await task.step("extra", double, 2)
        await greet(task, "Ada")
        task.progress(0.8)

    await stage.run(x)
    shares = [event.progress for event in stage.events("t") if hasattr(event, "progress")]
    assert shares == [0.25, 0.5, 0.5, 0.75]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda task: task.plan(5), "task.plan takes a list of steps"),
        (lambda task: task.plan("load"), "task.plan takes a list of steps"),
        (lambda task: task.plan(["load", 7]), "a planned step is a name or a function, not 7"),
        (lambda task: task.store("text"), "task.store takes bytes, not 'text': encode a text"),
    ],
)
async def test_a_wrong_call_says_what_is_taken(stage: Stage, call: Any, told: str) -> None:
    @skill("x")
    async def x(task: Task) -> None:
        made = call(task)
        if made is not None:
            await made

    error = (await stage.run(x)).life.error
    assert error is not None
    assert told in error.message


async def test_a_step_that_runs_long_is_on_record_while_it_runs(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steptime, "SHOWN_AFTER_S", 0.03)
    go_on = asyncio.Event()

    @skill("x")
    async def x(task: Task) -> None:
        await task.step("short", double, 1)
        await task.step("long", go_on.wait)

    stage.begin(await stage.assign(x))
    await stage.until_event("t", "step.started")
    shown = row("t", 1, stage.task("t"))["steps"]
    assert [(each["name"], each["status"], each["attempt"]) for each in shown] == [
        ("short", "completed", 1),
        ("long", "running", 1),
    ]
    assert shown[1]["completed_at"] is None
    await stage.interrupt()
    assert row("t", 1, stage.task("t"))["steps"][1]["status"] == "interrupted"
    go_on.set()


async def test_progress_is_heard_between_records() -> None:
    go_on = asyncio.Event()

    @skill("x")
    async def x(task: Task) -> None:
        task.progress(1, 4)
        await go_on.wait()

    async with Cluster() as cluster:
        control = await cluster.control()
        await cluster.node("n1", [x])
        await cluster.client().submit("x", id="t")
        await cluster.until(lambda: control.progress.of("t", 1, "n1") == 0.25)
        assert cluster.task("t").life.progress == 0.0
        assert (
            control.progress.of("t", 2, "n1")
            == control.progress.of("u", 1, "n1")
            == control.progress.of("t", 1, "n2")
            == 0.0
        )
        control.progress.take("t", "n1", b"garbage")
        control.progress.take("t", "n2", b'{"attempt": 1, "progress": 0.9}')
        assert control.progress.of("t", 1, "n1") == 0.25
        go_on.set()
        await cluster.until_status("t", "completed")


async def test_the_page_of_tasks_does_what_it_says(stage: Stage) -> None:
    page = Path(__file__).parents[3].joinpath("docs", "tasks.md").read_text("utf-8")
    files = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", page, re.DOTALL))
    shown = {}
    for name in ("steps.py", "booking.py"):
        shown[name] = ModuleType(f"page_{name.removesuffix('.py')}")
        exec(compile(files[name], name, "exec"), vars(shown[name]))  # noqa: S102
    counted = await stage.run(shown["steps.py"].count, {"urls": ["a", "b"]}, id="t")
    assert (counted.life.result, counted.life.progress) == (2, 1.0)
    assert names_of(stage) == ["fetch", "words", "fetch#2", "words#2"]
    booked = await stage.run(shown["booking.py"].trip, {"hotel": "Ritz"}, id="u")
    assert (booked.life.result, booked.life.undoable, booked.life.undo_on_failure) == ("booking 7", 1, True)
