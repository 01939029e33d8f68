"""One attempt of one task: what is recorded when, and what the code may do without harm."""

import asyncio
import json
import math
import threading
from typing import Any

import msgspec
import pytest

from clawactors import Retry, skill
from clawactors.eventlog import Draft, Unavailable
from clawactors.runtime.node.context import TaskContext
from clawactors.runtime.node.synccontext import SyncTaskContext
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from tests.clawactors.runtime.cluster import PATIENCE_S, Stage, all_turns

STARTED, STEP, COMPLETED, FAILED = "task.started", "step.completed", "task.completed", "task.attempt_failed"


def same[T](value: T) -> T:
    return value


async def later[T](value: T) -> T:
    return value


def batches(stage: Stage, id: str = "t") -> list[list[str]]:
    """The tags of the events, commit by commit."""
    return [[event.__struct_config__.tag for event in commit.events] for commit in stage.commits(id)]


async def opened(stage: Stage, id: str = "t") -> None:
    """Returns when the window is over: from now on every step is durable before the code goes on."""
    await stage.until_event(id, STARTED)


# The fast path


async def test_a_short_task_costs_one_commit(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawactors.runtime.node.attempt.journal.WINDOW_S", PATIENCE_S)  # however slow this machine is

    @skill("short")
    async def short(task: TaskContext, x: int) -> int:
        return await task.step("one", later, x) + await task.step("two", same, x)

    task = await stage.run(short, {"x": 4})
    assert batches(stage) == [["task.submitted"], ["task.scheduled"], [STARTED, STEP, STEP, COMPLETED]]
    assert (task.life.status, task.life.result, task.life.progress) == ("completed", 8, 1.0)


async def test_a_task_that_takes_longer_is_seen_running(stage: Stage) -> None:
    go = asyncio.Event()

    @skill("long")
    async def long(task: TaskContext) -> None:
        await go.wait()

    run = stage.begin(await stage.assign(long))
    await stage.until_status("t", "running")
    go.set()
    await run
    assert batches(stage)[2:] == [[STARTED], [COMPLETED]]


@pytest.mark.parametrize("step", [same, later])
async def test_behind_the_window_a_step_is_durable_before_the_code_goes_on(stage: Stage, step: Any) -> None:
    seen: list[list[str]] = []

    @skill("steps")
    async def steps(task: TaskContext) -> None:
        await opened(stage)
        await task.step("one", step, 1)
        seen.append(stage.named("t"))
        await task.step("two", step, 2)
        seen.append(stage.named("t"))

    await stage.run(steps)
    assert [names.count(STEP) for names in seen] == [1, 2]


async def test_a_suspect_is_on_record_as_running_before_its_code_runs(stage: Stage) -> None:
    seen: list[list[str]] = []

    @skill("suspect")
    async def suspect(task: TaskContext) -> int:
        seen.append(stage.named("t"))
        return task.attempt

    await stage.tell("t", c.Submit(e.Spec(skill="suspect")), c.ScheduleTask("n0", "i0"))
    await stage.interrupt()
    task = await stage.run(suspect)
    assert seen[0][-1] == STARTED
    assert task.life.result == 2


# Resume


@pytest.mark.parametrize("in_thread", [False, True])
async def test_a_resumed_task_gets_its_recorded_results_and_runs_no_completed_step_again(
    stage: Stage, in_thread: bool
) -> None:
    calls: list[str] = []
    go, first = threading.Event(), threading.Event()

    def work(task: Any, name: str) -> dict[str, str]:
        calls.append(f"{name}{task.attempt}")
        return {"by": calls[-1]}

    async def wait_there() -> None:
        await asyncio.get_running_loop().run_in_executor(None, go.wait)

    @skill("resume")
    async def resumed(task: TaskContext) -> list[Any]:
        await opened(stage)
        results = [await task.step("a", work, task, "a"), await task.step("b", work, task, "b")]
        if task.attempt == 1:
            await asyncio.Event().wait()
        return [*results, await task.step("c", work, task, "c")]

    @skill("resume")
    def resumed_in_thread(task: SyncTaskContext) -> list[Any]:
        results = [task.step("a", work, task, "a"), task.step("b", work, task, "b")]
        if task.attempt == 1:
            first.set()
            go.wait(PATIENCE_S)
        return [*results, task.step("c", work, task, "c")]

    code = resumed_in_thread if in_thread else resumed
    old = stage.begin(await stage.assign(code))
    await stage.until(lambda: stage.named("t").count(STEP) == 2, "two steps")
    await stage.kill("node/n1")
    await stage.interrupt()
    stage.here = stage.context("node/n1")
    task = await stage.run(code)
    go.set()
    assert task.life.result == [{"by": "a1"}, {"by": "b1"}, {"by": "c2"}]
    assert calls[:3] == ["a1", "b1", "c2"]
    assert stage.named("t").count(STEP) == 3
    assert old.done()


async def test_the_first_run_sees_the_result_that_a_resume_would_see(stage: Stage) -> None:
    @skill("shapes")
    async def shapes(task: TaskContext) -> Any:
        return [await task.step("tuple", same, (1, 2)), await task.step("keys", same, {"1": b"ab"})]

    assert (await stage.run(shapes)).life.result == [[1, 2], {"1": "YWI="}]


async def test_a_step_name_used_twice_blocks_the_task_with_the_reason(stage: Stage) -> None:
    went_on = False

    @skill("twice")
    async def twice(task: TaskContext) -> None:
        nonlocal went_on
        await task.step("same", same, 1)
        await task.step("same", same, 2)
        went_on = True

    task = await stage.run(twice)
    assert task.life.status == "blocked"
    assert "'same' twice" in task.life.blocked_reason
    assert not went_on
    assert task.journal.completed("same")


async def test_a_step_name_used_twice_in_a_thread_blocks_too(stage: Stage) -> None:
    @skill("twice")
    def twice(task: SyncTaskContext) -> None:
        task.step("same", same, 1)
        task.step("same", same, 2)

    assert (await stage.run(twice)).life.status == "blocked"


@pytest.mark.parametrize("name", ["", "x" * 1000, "a\nb", "\ud800", 5, None, b"x"])
async def test_a_step_name_that_no_record_can_hold_fails_the_task(stage: Stage, name: Any) -> None:
    @skill("named")
    async def named(task: TaskContext) -> None:
        await task.step(name, same, 1)

    task = await stage.run(named)
    assert task.life.status == "failed"
    assert task.life.error is not None
    assert task.life.error.kind == "validation"
    assert "step" in task.life.error.message
    assert not any(commit.fault for commit in stage.commits("t"))


async def test_a_step_that_failed_may_be_tried_again_under_its_name(stage: Stage) -> None:
    tries = iter([ValueError("once"), ValueError("twice"), None])

    def flaky() -> str:
        if (error := next(tries)) is not None:
            raise error
        return "at last"

    @skill("flaky")
    async def code(task: TaskContext) -> Any:
        while True:
            try:
                return await task.step("flaky", flaky)
            except ValueError:
                continue

    task = await stage.run(code)
    assert task.life.result == "at last"
    assert stage.named("t").count("step.failed") == 2


async def test_progress_is_recorded_with_the_next_step_whatever_number_it_is(stage: Stage) -> None:
    from decimal import Decimal
    from fractions import Fraction

    @skill("progress")
    async def progress(task: TaskContext) -> None:
        shares: list[Any] = [(Decimal(1), Decimal(4)), (Fraction(1, 2), Fraction(1)), (True,), (7,), (-1,)]
        for index, share in enumerate([*shares, (3, 0)]):
            task.progress(*share)
            await task.step(f"s{index}", same, index)

    task = await stage.run(progress)
    assert task.life.status == "completed"
    shares = [event.progress for event in stage.events("t") if isinstance(event, e.StepCompleted)]
    assert shares == [0.25, 0.5, 1.0, 1.0, 0.0, 0.0]


# Results


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


IMPOSSIBLE: dict[str, Any] = {
    "object": object(),
    "function": same,
    "keys": {(1, 2): 3},
    "surrogate": "\ud800",
    "nan": math.nan,
    "inf in a struct": [{"deep": (1.0, -math.inf)}],
    "deep": nested(499),
    "deeper": nested(2000),
    "very deep": nested(100_000),
}


@pytest.mark.parametrize("what", IMPOSSIBLE)
@pytest.mark.parametrize("where", ["skill", "step", "thread"])
async def test_a_result_that_the_log_can_not_hold_fails_the_task_and_says_so(
    stage: Stage, what: str, where: str
) -> None:
    @skill("bad")
    async def bad(task: TaskContext) -> Any:
        return IMPOSSIBLE[what] if where == "skill" else await task.step("bad", lambda: IMPOSSIBLE[what])

    @skill("bad")
    def bad_in_thread(task: SyncTaskContext) -> Any:
        task.step("bad", lambda: IMPOSSIBLE[what])

    task = await stage.run(bad_in_thread if where == "thread" else bad)
    assert task.life.status == "failed"
    assert task.life.error is not None
    assert task.life.error.kind == "validation"
    assert "JSON" in task.life.error.message
    assert len(task.life.error.message) <= 2000
    assert not any(commit.fault for commit in stage.commits("t"))


@pytest.mark.parametrize("value", [None, [None], 2**70, -(2**80), 1e308, "\x00", {}, nested(100), {"a": [None, 1.5]}])
async def test_every_other_result_comes_back_as_it_was(stage: Stage, value: Any) -> None:
    @skill("fine")
    async def fine(task: TaskContext) -> Any:
        return await task.step("fine", same, value)

    task = await stage.run(fine)
    assert task.life.result == value
    entry = task.journal.last("fine")
    assert entry is not None
    assert entry.result == value


async def test_many_large_steps_at_once_are_all_recorded(stage: Stage) -> None:
    @skill("wide")
    async def wide(task: TaskContext) -> int:
        results = await asyncio.gather(*(task.step(f"s{n}", later, "x" * 200_000) for n in range(12)))
        return sum(len(result) for result in results)

    task = await stage.run(wide)
    assert task.life.result == 12 * 200_000
    assert task.life.steps_completed == 12


async def test_steps_that_fail_for_long_do_not_pile_up(stage: Stage) -> None:
    def fails() -> None:
        raise ValueError("x" * 1900)

    @skill("stubborn", cancel_grace_s=0.05)
    async def stubborn(task: TaskContext) -> int:
        for _ in range(900):
            try:
                await task.step("s", fails)
            except ValueError:
                continue
        return await task.step("s", same, 1)

    assert (await stage.run(stubborn)).life.result == 1


# What code may raise


class Odd(BaseException):
    """No `Exception`."""


RAISED: dict[str, tuple[BaseException, str, str]] = {
    "Exception": (RuntimeError("no luck"), "waiting", "unknown"),
    "ValueError": (ValueError("bad"), "failed", "validation"),
    "TimeoutError": (TimeoutError("own"), "waiting", "timeout"),
    "MemoryError": (MemoryError(), "waiting", "memory"),
    "JSONDecodeError": (json.JSONDecodeError("of an answer", "{", 0), "waiting", "unknown"),
    "KeyError": (KeyError("choices"), "waiting", "unknown"),
    "TypeError": (TypeError("None has no length"), "waiting", "unknown"),
    "NotImplementedError": (NotImplementedError(), "failed", "validation"),
    "PermissionError": (PermissionError("no"), "blocked", "permission"),
    "ConnectionResetError": (ConnectionResetError("gone"), "waiting", "network"),
    "SystemExit": (SystemExit(3), "waiting", "unknown"),
    "KeyboardInterrupt": (KeyboardInterrupt(), "waiting", "unknown"),
    "GeneratorExit": (GeneratorExit(), "waiting", "unknown"),
    "StopIteration": (StopIteration(1), "waiting", "unknown"),
    "StopAsyncIteration": (StopAsyncIteration(), "waiting", "unknown"),
    "CancelledError": (asyncio.CancelledError("own"), "failed", "cancelled"),
    "BaseException": (Odd("odd"), "waiting", "unknown"),
    "ExceptionGroup": (BaseExceptionGroup("many", [Odd("a"), ValueError("b")]), "waiting", "unknown"),
    "Unavailable": (Unavailable("of the code's own log"), "waiting", "network"),
    "surrogate": (RuntimeError("\ud800"), "waiting", "unknown"),
}


@pytest.mark.parametrize("what", RAISED)
@pytest.mark.parametrize("where", ["async", "thread", "step", "step in thread", "thread's step", "gathered step"])
async def test_whatever_the_code_raises_is_the_attempts_failure_and_nothing_else(
    stage: Stage, what: str, where: str
) -> None:
    error, status, kind = RAISED[what]

    def raises() -> None:
        raise error

    async def raises_later() -> None:
        await asyncio.sleep(0)
        raise error

    @skill("raises")
    async def in_loop(task: TaskContext) -> None:
        match where:
            case "async":
                await raises_later()
            case "step":
                await task.step("s", raises_later)
            case "step in thread":
                await task.step("s", raises)
            case "gathered step":
                await asyncio.gather(task.step("s", raises_later), task.step("other", later, 1))

    @skill("raises")
    def in_thread(task: SyncTaskContext) -> None:
        if where == "thread":
            raises()
        else:
            task.step("s", raises)

    task = await stage.run(in_thread if where.startswith("thread") else in_loop)
    assert (task.life.status, task.life.failures) == (status, 1)
    assert task.life.error is not None
    assert task.life.error.kind == kind
    assert not any(commit.fault for commit in stage.commits("t"))


async def test_an_attempt_that_failed_says_what_and_where(stage: Stage) -> None:
    @skill("raises")
    async def raises(task: TaskContext) -> None:
        raise RuntimeError("no luck today")

    error = (await stage.run(raises)).life.error
    assert error is not None
    assert "no luck today" in error.message
    assert "test_run.py" in error.message


async def test_code_that_cancels_itself_fails_and_is_not_left_running(stage: Stage) -> None:
    @skill("suicide")
    async def suicide(task: TaskContext) -> None:
        current = asyncio.current_task()
        assert current is not None
        current.cancel()
        await asyncio.sleep(0)

    task = await stage.run(suicide)
    assert task.life.status == "failed"
    assert task.life.error is not None
    assert task.life.error.kind == "cancelled"


@pytest.mark.parametrize("in_thread", [False, True])
async def test_an_attempt_that_takes_too_long_is_ended(stage: Stage, in_thread: bool) -> None:
    never, stopped, told = threading.Event(), asyncio.Event(), threading.Event()

    @skill("slow")
    async def slow(task: TaskContext) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    @skill("slow")
    def slow_in_thread(task: SyncTaskContext) -> None:
        never.wait(PATIENCE_S)
        if task.cancelled:
            told.set()
        task.step("too late", never.set)

    task = await stage.run(slow_in_thread if in_thread else slow, timeout_s=0.05)
    assert task.life.status == "waiting"
    assert task.life.error is not None
    assert task.life.error.kind == "timeout"
    assert "longer than 0.05 s" in task.life.error.message
    if in_thread:
        never.set()
        assert await asyncio.to_thread(told.wait, PATIENCE_S)
        assert STEP not in stage.named("t")
    else:
        assert stopped.is_set()


async def test_a_timeout_of_the_codes_own_is_not_told_as_the_attempts(stage: Stage) -> None:
    @skill("slow", timeout_s=60)
    async def slow(task: TaskContext) -> None:
        raise TimeoutError("the printer is slow")

    error = (await stage.run(slow)).life.error
    assert error is not None
    assert error.kind == "timeout"
    assert "printer" in error.message


async def test_the_tasks_timeout_is_taken_before_the_skills(stage: Stage) -> None:
    @skill("slow", timeout_s=60)
    async def slow(task: TaskContext) -> None:
        await asyncio.Event().wait()

    assert (await stage.run(slow, timeout_s=0.01)).life.status == "waiting"


async def test_a_skill_that_this_node_does_not_have_fails_the_task(stage: Stage) -> None:
    task = await stage.run(None)
    assert task.life.status == "failed"
    assert task.life.error is not None
    assert "nobody-knows" in task.life.error.message


@pytest.mark.parametrize("params", [{}, {"n": "three"}, {"n": 1, "more": 2}, {"n": None}])
async def test_parameters_that_do_not_fit_fail_the_task_before_its_code_runs(
    stage: Stage, params: dict[str, Any]
) -> None:
    ran = False

    @skill("picky")
    async def picky(task: TaskContext, n: int) -> None:
        nonlocal ran
        ran = True

    task = await stage.run(picky, params)
    assert task.life.status == "failed"
    assert task.life.error is not None
    assert task.life.error.kind == "validation"
    assert not ran


async def test_parameters_are_converted_to_what_the_annotations_say(stage: Stage) -> None:
    class Point(msgspec.Struct):
        x: int

    @skill("typed")
    async def typed(task: TaskContext, point: Point, names: tuple[str, ...], scale: float = 2) -> Any:
        return [type(point).__name__, names, scale]

    task = await stage.run(typed, {"point": {"x": 1}, "names": ["a"]})
    assert task.life.result == ["Point", ["a"], 2]


@pytest.mark.parametrize("retries", [0, 2])
async def test_an_attempt_is_tried_again_after_a_while_until_its_retries_are_used_up(
    stage: Stage, retries: int
) -> None:
    @skill("fails", retry=Retry(max_retries=9, wait_s=1, jitter=0))
    async def fails(task: TaskContext) -> None:
        raise RuntimeError("again")

    waits = []
    for attempt in range(retries):
        before_ns = stage.clock.now_ns()
        task = await stage.run(fails, max_retries=retries)
        assert (task.life.status, task.life.waiting_for) == ("waiting", "retry")
        waits.append(round((task.life.until_ns - before_ns) / 1e9))
        assert task.life.attempt == attempt + 1
    task = await stage.run(fails, max_retries=retries)
    assert task.life.status == "dead"
    assert task.life.attempt == retries + 1
    assert waits == [1, 2][:retries]


# Cancel, pause, another attempt


@pytest.mark.parametrize("behaviour", ["obeys", "swallows", "raises", "cleans up", "returns"])
async def test_running_async_code_is_cancelled_and_that_is_confirmed(stage: Stage, behaviour: str) -> None:
    @skill("endless")
    async def endless(task: TaskContext) -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            assert task.cancelled
            match behaviour:
                case "swallows":
                    await asyncio.sleep(0)
                case "raises":
                    raise ValueError("on the way out") from None
                case "returns":
                    return "so there"
                case "cleans up":
                    for _ in range(5):
                        await asyncio.sleep(0)
                    raise
                case _:
                    raise
        return "gone on"

    run = await stage.assign(endless)
    running = stage.begin(run)
    await opened(stage)
    await stage.tell("t", c.Cancel("somebody"))
    await stage.hear(run)
    async with asyncio.timeout(PATIENCE_S):
        await running
    assert stage.task("t").life.status == "cancelled"
    assert stage.named("t")[-2:] == ["task.cancel_requested", "task.cancelled"]


async def test_code_in_a_thread_is_cancelled_at_its_next_step_and_confirmed_then(stage: Stage) -> None:
    go, in_step = threading.Event(), threading.Event()
    ran: list[int] = []

    def first() -> None:
        in_step.set()
        go.wait(PATIENCE_S)
        ran.append(1)

    @skill("threaded")
    def threaded(task: SyncTaskContext) -> None:
        task.step("one", first)
        task.step("two", ran.append, 2)

    run = await stage.assign(threaded)
    running = stage.begin(run)
    await opened(stage)
    assert await asyncio.to_thread(in_step.wait, PATIENCE_S)
    await stage.tell("t", c.Cancel())
    await stage.hear(run)
    await all_turns()
    assert stage.task("t").life.status == "running", "its code still runs"
    go.set()
    await running
    assert stage.task("t").life.status == "cancelled"
    assert ran == [1]
    assert stage.task("t").journal.completed("one"), "what was done is done"


async def test_code_in_a_thread_that_never_ends_is_left_behind(stage: Stage) -> None:
    hang = threading.Event()

    @skill("hangs", cancel_grace_s=0.05)
    def hangs(task: SyncTaskContext) -> None:
        hang.wait(PATIENCE_S)

    run = await stage.assign(hangs)
    running = stage.begin(run)
    await opened(stage)
    await stage.tell("t", c.Cancel())
    await stage.hear(run)
    async with asyncio.timeout(PATIENCE_S):
        await running
    assert stage.task("t").life.status == "cancelled"
    hang.set()


async def test_async_code_that_will_not_be_cancelled_is_left_behind(stage: Stage) -> None:
    enough, refused = asyncio.Event(), []

    @skill("stubborn", cancel_grace_s=0.05)
    async def stubborn(task: TaskContext) -> None:
        while not enough.is_set():
            try:
                await enough.wait()
            except asyncio.CancelledError:
                continue
        try:
            await task.step("too late", same, 1)
        except BaseException as error:
            refused.append(error)
            raise

    run = await stage.assign(stubborn)
    running = stage.begin(run)
    await opened(stage)
    await stage.tell("t", c.Cancel())
    await stage.hear(run)
    async with asyncio.timeout(PATIENCE_S):
        await running
    assert stage.task("t").life.status == "cancelled"
    enough.set()
    await all_turns()
    assert refused


async def test_a_cancel_that_comes_while_the_result_is_being_recorded_loses_nothing(stage: Stage) -> None:
    """The append is on its way when the request to cancel arrives: the record stands, whichever was first."""

    @skill("quick")
    async def quick(task: TaskContext) -> int:
        await opened(stage, task.id)
        return 7

    for first in ("cancel", "result"):
        id = f"t-{first}"
        run = await stage.assign(quick, id=id)
        appending, go_on = asyncio.Event(), asyncio.Event()

        stage.wire.hold = (b"task.completed", appending, go_on)
        running = stage.begin(run)
        await stage.until_event(id, STARTED)
        async with asyncio.timeout(PATIENCE_S):
            await appending.wait()
        if first == "cancel":
            await stage.tell(id, c.Cancel())
            hearing = asyncio.create_task(stage.hear(run))
            await all_turns()
            go_on.set()
            await hearing
        else:
            go_on.set()
        async with asyncio.timeout(PATIENCE_S):
            await running
        stage.wire.hold = None
        assert stage.task(id).life.status in ("completed", "cancelled"), first
        assert stage.named(id).count(COMPLETED) + stage.named(id).count("task.cancelled") == 1


@pytest.mark.parametrize("in_thread", [False, True])
async def test_paused_code_ends_at_its_next_step_and_resumes_behind_the_last_one(stage: Stage, in_thread: bool) -> None:
    go, inside = threading.Event(), threading.Event()
    calls: list[str] = []

    def one() -> str:
        calls.append("one")
        inside.set()
        go.wait(PATIENCE_S)
        return "done"

    @skill("pausable")
    async def pausable(task: TaskContext) -> list[Any]:
        return [await task.step("one", one), await task.step("two", calls.append, "two")]

    @skill("pausable")
    def pausable_in_thread(task: SyncTaskContext) -> list[Any]:
        return [task.step("one", one), task.step("two", calls.append, "two")]

    code = pausable_in_thread if in_thread else pausable
    run = await stage.assign(code)
    running = stage.begin(run)
    await opened(stage)
    assert await asyncio.to_thread(inside.wait, PATIENCE_S)
    await stage.tell("t", c.Pause("ada"))
    await stage.hear(run)
    go.set()
    await running
    task = stage.task("t")
    assert task.life.status == "paused"
    assert task.journal.completed("one"), "the pause came while the step ran: what is done is done"
    await stage.tell("t", c.Resume())
    task = await stage.run(code)
    assert task.life.result == ["done", None]
    assert calls == ["one", "two"]


async def test_code_that_waits_while_paused_is_ended_when_the_task_goes_on_elsewhere(stage: Stage) -> None:
    ended = asyncio.Event()

    @skill("sleepy")
    async def sleepy(task: TaskContext) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    run = await stage.assign(sleepy)
    running = stage.begin(run)
    await opened(stage)
    await stage.tell("t", c.Pause())
    await stage.hear(run)
    await all_turns()
    assert not ended.is_set()
    await stage.tell("t", c.Resume())
    await stage.hear(run)
    async with asyncio.timeout(PATIENCE_S):
        await running
    assert ended.is_set()
    assert stage.task("t").life.status == "pending"


async def test_an_attempt_that_was_superseded_is_stopped_and_records_nothing(stage: Stage) -> None:
    ended = asyncio.Event()

    @skill("endless")
    async def endless(task: TaskContext) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    run = await stage.assign(endless)
    running = stage.begin(run)
    await opened(stage)
    await stage.interrupt()
    await stage.tell("t", c.ScheduleTask("n2", "other"))
    before = stage.log.last_seq
    await stage.hear(run)
    async with asyncio.timeout(PATIENCE_S):
        await running
    assert ended.is_set()
    assert stage.log.last_seq == before


@pytest.mark.parametrize("in_thread", [False, True])
async def test_the_result_of_a_zombie_is_refused(stage: Stage, in_thread: bool) -> None:
    """It has not heard that another attempt runs; the fence tells it with its next append."""
    go, ran = threading.Event(), []

    @skill("zombie")
    async def zombie(task: TaskContext) -> str:
        await asyncio.to_thread(go.wait, PATIENCE_S)
        await task.step("late", same, 1)
        ran.append("on")
        return "zombie's"

    @skill("zombie")
    def zombie_in_thread(task: SyncTaskContext) -> str:
        go.wait(PATIENCE_S)
        task.step("late", same, 1)
        ran.append("on")
        return "zombie's"

    running = stage.begin(await stage.assign(zombie_in_thread if in_thread else zombie))
    await opened(stage)
    await stage.interrupt()
    fence = (await stage.tell("t", c.ScheduleTask("n2", "other"))).fence
    await stage.tell("t", c.StartTask(fence))
    before = stage.log.last_seq
    go.set()
    async with asyncio.timeout(PATIENCE_S):
        await running
    assert stage.log.last_seq == before
    assert ran == []
    assert (await stage.tell("t", c.Complete(fence, "mine"))).life.result == "mine"


async def test_a_frozen_task_stops_its_run_and_nothing_is_written(stage: Stage) -> None:
    @skill("endless")
    async def endless(task: TaskContext) -> None:
        await opened(stage)
        await task.step("never recorded", same, 1)
        await asyncio.Event().wait()

    run = await stage.assign(endless)
    running = stage.begin(run)
    await stage.until_status("t", "scheduled", "running")
    stage.log.publish("claw.task.t.log", b'{"v":1,"events":[{"type":"task.teleported"}]}')
    async with asyncio.timeout(PATIENCE_S):
        await running
    assert stage.named("t")[-1] != STEP


async def test_a_commit_of_somebody_else_that_changes_nothing_for_the_run_does_not_disturb_it(stage: Stage) -> None:
    @skill("steady")
    async def steady(task: TaskContext) -> int:
        await opened(stage)
        total = 0
        for n in range(20):
            stage.log.publish("claw.task.t.log", b"garbage")
            await stage.tell("t", c.Signal("go", n))
            await stage.hear(run)
            total += await task.step(f"s{n}", same, n)
        return total

    run = await stage.assign(steady)
    async with asyncio.timeout(PATIENCE_S):
        await stage.begin(run)
    task = stage.task("t")
    assert task.life.result == sum(range(20))
    assert task.journal.count("signal:go") == 20


async def test_steps_at_the_same_time_are_each_recorded_once(stage: Stage) -> None:
    calls: list[int] = []

    async def work(n: int) -> int:
        for _ in range(n % 4):
            await asyncio.sleep(0)
        calls.append(n)
        return n

    def work_in_thread(n: int) -> int:
        calls.append(n)
        return n

    @skill("wide")
    async def wide(task: TaskContext) -> int:
        await opened(stage)
        return sum(await asyncio.gather(*(task.step(f"s{n}", (work, work_in_thread)[n % 2], n) for n in range(50))))

    task = await stage.run(wide)
    assert task.life.result == sum(range(50))
    assert task.life.steps_completed == 50
    assert sorted(calls) == list(range(50))


# The log is away


@pytest.mark.parametrize("point", ["before", "after"])
@pytest.mark.parametrize("in_thread", [False, True])
async def test_while_the_log_is_away_the_record_waits_and_nothing_is_lost_or_doubled(
    stage: Stage, point: str, in_thread: bool
) -> None:
    refusals = 0

    def fault(at: str, draft: Draft) -> None:
        nonlocal refusals
        if at == point and refusals < 3 and b"step." in draft.body:
            refusals += 1
            raise Unavailable("away")

    stage.wire.fault = fault
    calls: list[int] = []

    @skill("patient")
    async def patient(task: TaskContext) -> int:
        await opened(stage)
        for n in range(3):
            await task.step(f"s{n}", calls.append, n)
        return len(calls)

    @skill("patient")
    def patient_in_thread(task: SyncTaskContext) -> int:
        for n in range(3):
            task.step(f"s{n}", calls.append, n)
        return len(calls)

    task = await stage.run(patient_in_thread if in_thread else patient)
    assert refusals == 3
    assert task.life.result == 3
    assert calls == [0, 1, 2]
    assert [entry.name for entry in task.journal] == ["s0", "s1", "s2"]


async def test_the_code_of_a_superseded_attempt_is_stopped_even_while_the_log_is_away(stage: Stage) -> None:
    def fault(at: str, draft: Draft) -> None:
        if b"step." in draft.body:
            raise Unavailable("away for ever")

    stage.wire.fault = fault

    @skill("stuck")
    async def stuck(task: TaskContext) -> None:
        await opened(stage)
        await task.step("s", same, 1)

    run = await stage.assign(stuck)
    running = stage.begin(run)
    await opened(stage)
    run.stop("superseded")
    async with asyncio.timeout(PATIENCE_S):
        await running
    assert STEP not in stage.named("t")


async def test_what_a_run_would_record_too_large_for_this_server_fails_the_attempt(stage: Stage) -> None:
    from clawactors.eventlog import TooLarge

    def fault(at: str, draft: Draft) -> None:
        if len(draft.body) > 10_000:
            raise TooLarge(len(draft.body), 10_000)

    stage.wire.fault = fault

    @skill("large")
    async def large(task: TaskContext) -> str:
        return "x" * 50_000

    task = await stage.run(large)
    assert task.life.status == "failed"
    assert task.life.error is not None
    assert "too large" in task.life.error.message


# Ended while it gives way


class Held:
    """The node's log; the first append of a wait stays on its way until whoever writes it is cancelled."""

    def __init__(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        self.on_its_way, self.arrives = asyncio.Event(), asyncio.Event()
        append = stage.here.log.append

        async def held(draft: Draft, expected: int) -> int:
            if b'"task.waiting"' in draft.body and not self.on_its_way.is_set():
                self.on_its_way.set()
                await self.arrives.wait()
            return await append(draft, expected)

        monkeypatch.setattr(stage.here.log, "append", held)


@skill("gives-way", retry=Retry(max_retries=0))
async def gives_way(task: TaskContext, until: str) -> None:
    await task.step("one", later, 1)
    await (task.sleep("1h") if until == "timer" else task.signal("go", timeout="1h"))


@pytest.mark.parametrize("until", ["timer", "signal"])
async def test_a_cancel_that_meets_a_wait_on_its_way_to_the_log_is_confirmed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, until: str
) -> None:
    held, run = Held(stage, monkeypatch), await stage.assign(gives_way, {"until": until})
    life = stage.begin(run)
    async with asyncio.timeout(PATIENCE_S):
        await held.on_its_way.wait()
        await stage.tell("t", c.Cancel("user"))
        await stage.hear(run)
        held.arrives.set()
        await life
    assert stage.task("t").life.status == "cancelled"


@pytest.mark.parametrize("until", ["timer", "signal"])
async def test_a_timeout_that_meets_a_wait_on_its_way_to_the_log_lets_it_wait(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, until: str
) -> None:
    held, run = Held(stage, monkeypatch), await stage.assign(gives_way, {"until": until}, timeout_s=3600)
    life = stage.begin(run)
    async with asyncio.timeout(PATIENCE_S):
        await held.on_its_way.wait()
        run.fail(TimeoutError("the attempt took longer than 3600 s"))
        held.arrives.set()
        await life
    assert stage.task("t").life.waiting_for == until
