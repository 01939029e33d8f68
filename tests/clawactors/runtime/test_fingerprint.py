"""The journal has to fit the code: never silently wrong, never retried without end."""

import asyncio
import functools
import gc
import time
from typing import Any

import pytest

from clawactors import SyncTask, skill
from clawactors import Task as Handle
from clawactors.runtime.node.fingerprint import fingerprint
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from tests.clawactors.runtime.cluster import Stage


def one(*args: Any, **kwargs: Any) -> str:
    return "one"


def two(*args: Any, **kwargs: Any) -> str:
    return "two"


async def fails() -> None:
    raise RuntimeError("so that there is another attempt")


def twice(function: Any, args: Any, other: Any, others: Any, *, in_thread: bool) -> Any:
    """A skill that changes between its attempts."""

    @skill("changing")
    async def changing(task: Handle) -> str:
        call, given = (function, args) if task.attempt == 1 else (other, others)
        result = await task.step("s", call, *given)
        if task.attempt == 1:
            await fails()
        return result

    @skill("changing")
    def changing_in_thread(task: SyncTask) -> str:
        call, given = (function, args) if task.attempt == 1 else (other, others)
        result: str = task.step("s", call, *given)
        if task.attempt == 1:
            raise RuntimeError("again")
        return result

    return changing_in_thread if in_thread else changing


@pytest.mark.parametrize("in_thread", [False, True])
@pytest.mark.parametrize(
    ("other", "others", "reason"),
    [
        (two, (1, "a"), "step 's' is recorded as a call of one, but the code now calls two"),
        (one, (1, "b"), "step 's' is recorded with other arguments for one"),
        (one, (1,), "step 's' is recorded with other arguments for one"),
    ],
)
async def test_a_journal_that_does_not_fit_blocks_the_task(
    stage: Stage, other: Any, others: Any, reason: str, in_thread: bool
) -> None:
    code = twice(one, (1, "a"), other, others, in_thread=in_thread)
    await stage.run(code)
    life = (await stage.run(code)).life
    assert life.status == "blocked"
    assert reason in life.blocked_reason
    await stage.tell(
        "t", c.RetryTask()
    )  # each further command of a person gives the same answer, and nothing goes on by itself
    assert (await stage.run(code)).life.status == "blocked"
    assert stage.named("t").count("step.completed") == 1


@pytest.mark.parametrize("in_thread", [False, True])
async def test_a_step_that_was_renamed_blocks_the_task_instead_of_running_again(stage: Stage, in_thread: bool) -> None:
    @skill("renaming")
    async def renaming(task: Handle) -> str:
        await task.step("first", two)
        result: str = await task.step("copy" if task.attempt == 1 else "copy it", one, 1)
        if task.attempt == 1:
            await fails()
        return result

    @skill("renaming")
    def renaming_in_thread(task: SyncTask) -> str:
        task.step("first", two)
        result: str = task.step("copy" if task.attempt == 1 else "copy it", one, 1)
        if task.attempt == 1:
            raise RuntimeError("again")
        return result

    code = renaming_in_thread if in_thread else renaming
    await stage.run(code)
    life = (await stage.run(code)).life
    assert life.status == "blocked"
    assert "step 'copy it' makes the call that is recorded as step 'copy'" in life.blocked_reason
    assert stage.named("t").count("step.completed") == 2


def nothing() -> str:
    return "nothing"


@pytest.mark.parametrize(
    "call", [nothing, lambda: one(1), functools.partial(nothing)], ids=["function", "lambda", "partial"]
)
@pytest.mark.parametrize("last", [False, True])
async def test_a_renamed_step_without_arguments_is_known_at_the_end(stage: Stage, call: Any, last: bool) -> None:
    """Many steps may make such a call, so only what the whole of the code has asked for tells."""

    @skill("renaming")
    async def renaming(task: Handle) -> str:
        if last:
            await task.step("other", lambda: two(1))
        result: str = await task.step("poll" if task.attempt == 1 else "poll it", call)
        if task.attempt == 1:
            await fails()
        if not last:
            await task.step("other", lambda: two(1))
        return result

    await stage.run(renaming)
    life = (await stage.run(renaming)).life
    assert life.status == "blocked"
    assert "step 'poll it' makes the call that is recorded as step 'poll'" in life.blocked_reason
    await stage.tell("t", c.RetryTask())
    assert (await stage.run(renaming)).life.status == "blocked"


async def test_code_that_goes_another_way_is_not_stopped_and_its_log_tells(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    @skill("seeking")
    async def seeking(task: Handle) -> str:
        if task.attempt == 1:  # as code that looks at something outside: a file, a memory
            await task.step("research", lambda: one("a"))
            await fails()
        return await task.step("write", lambda: two("b"))

    await stage.run(seeking)
    assert (await stage.run(seeking)).life.result == "two"
    assert "recorded steps of earlier attempts were not used by the current code: 'research'" in caplog.text


async def test_amends_for_a_step_that_failed_are_not_missed_when_it_succeeds(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    @skill("booking")
    async def booking(task: Handle) -> str:
        def book() -> str:
            if task.attempt == 1:
                raise RuntimeError("full")
            return "booked"

        await task.step("first", one, 1)
        try:
            result: str = await task.step("book", book)
        except RuntimeError:
            await task.step("tell", one, 2)
            raise
        await task.step("tell of it", one, 2)
        return result

    await stage.run(booking)
    assert (await stage.run(booking)).life.result == "booked"
    assert "did not ask" not in caplog.text


async def test_equal_calls_under_several_names_are_several_steps(stage: Stage) -> None:
    """In a row, and beside each other, where one of them was not on record yet when the attempt ended."""

    @skill("many")
    async def many(task: Handle) -> None:
        for number in range(3):
            await task.step(f"s{number}", one, 1)
        if task.attempt == 1:
            await task.step("b", one, 1)
            await fails()
        await asyncio.gather(task.step("a", one, 1), task.step("b", one, 1))
        for number in range(3, 5):
            await task.step(f"s{number}", one, 1)

    await stage.run(many)
    assert (await stage.run(many)).life.status == "completed"


@pytest.mark.parametrize("in_thread", [False, True])
async def test_a_journal_that_fits_is_used(stage: Stage, in_thread: bool) -> None:
    code = twice(one, ({"b": 1, "a": {3, 1, 2}},), one, ({"a": {2, 3, 1}, "b": 1},), in_thread=in_thread)
    await stage.run(code)
    assert (await stage.run(code)).life.result == "one"


async def test_steps_of_older_releases_carry_no_fingerprint_and_are_taken(stage: Stage) -> None:
    @skill("old")
    async def old(task: Handle) -> str:
        return await task.step("s", two)

    run = await stage.assign(old)
    await stage.tell("t", c.StartTask(run.fence), c.CompleteStep(run.fence, "s", "of old"))
    await stage.interrupt()
    assert (await stage.run(old)).life.result == "of old"


async def test_parallel_steps_may_end_in_any_order(stage: Stage) -> None:
    async def after(turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        return turns

    @skill("wide")
    async def wide(task: Handle) -> list[int]:
        turns = range(10) if task.attempt == 1 else reversed(range(10))
        results = await asyncio.gather(*(task.step(f"s{n}", after, n) for n in turns))
        if task.attempt == 1:
            await fails()
        return sorted(results)

    await stage.run(wide)
    assert (await stage.run(wide)).life.result == list(range(10))


def test_what_is_called_and_with_what_makes_the_difference() -> None:
    class Connection:
        def copy(self, n: int) -> int:
            return n

    calls = [
        fingerprint(one, (), {}),
        fingerprint(two, (), {}),
        fingerprint(one, (1,), {}),
        fingerprint(one, (1.0,), {}),
        fingerprint(one, (True,), {}),
        fingerprint(one, ("1",), {}),
        fingerprint(one, (), {"n": 1}),
        fingerprint(one, (None,), {}),
        fingerprint(one, (Connection(),), {}),
        fingerprint(Connection().copy, (1,), {}),
        fingerprint(lambda n: n, (1,), {}),
        fingerprint(lambda n: one(n, 1), (1,), {}),
        fingerprint(lambda n: [two(n) for _ in range(n)], (1,), {}),
    ]
    assert len(set(calls)) == len(calls)
    assert fingerprint(one, (Connection(),), {}) == fingerprint(one, (Connection(),), {})
    assert fingerprint(lambda: one(1), (), {}).startswith("<lambda one>:")
    assert fingerprint(functools.partial(one, 1, n=2), (3,), {}) == fingerprint(one, (1, 3), {"n": 2})
    assert fingerprint(one, (), {"a": 1, "b": 2}) == fingerprint(one, (), {"b": 2, "a": 1})
    assert fingerprint(one, ({(1, 2): object()},), {}).startswith("one:")
    assert calls[-4].partition(":")[0].endswith("Connection.copy")


async def test_what_a_step_changes_in_its_arguments_changes_nothing(stage: Stage) -> None:
    def fill(into: list[int]) -> int:
        into.append(1)
        return len(into)

    @skill("fills")
    async def fills(task: Handle) -> int:
        length = await task.step("s", fill, [])
        if task.attempt == 1:
            await fails()
        return length

    await stage.run(fills)
    assert (await stage.run(fills)).life.result == 1


@pytest.mark.parametrize("most", [15_000, pytest.param(50_000, marks=pytest.mark.soak)])
async def test_a_task_of_very_many_steps_runs_and_resumes_in_time_that_grows_with_the_steps(
    stage: Stage, most: int
) -> None:
    few = most // 10
    took: dict[tuple[int, int], float] = {}

    @skill("long")
    async def long(task: Handle, n: int) -> int:
        started_s = time.perf_counter()
        total = 0
        for number in range(n):
            total += await task.step(f"s{number}", value, number)
        took[n, task.attempt] = time.perf_counter() - started_s
        if task.attempt == 1:
            await fails()
        return total

    async def value(number: int) -> int:
        return number

    for n in (few, most):
        gc.collect()
        await stage.run(long, {"n": n}, id=f"t-{n}")
        started_s = time.perf_counter()
        task = await stage.run(long, {"n": n}, id=f"t-{n}")
        took[n, 3] = time.perf_counter() - started_s
        assert (task.life.status, task.life.result) == ("completed", n * (n - 1) // 2)
        assert task.life.steps_completed == n
    assert sum(isinstance(event, e.StepCompleted) for event in stage.events(f"t-{most}")) == most
    assert took[most, 3] < 60 * took[few, 3]
