"""What follows a failure: elsewhere, after a longer wait, held for a person; and the retries of single steps."""

from typing import Any

import pytest

from clawactors import ErrorRule, Retry, SyncTask, skill
from clawactors import Task as Handle
from clawactors.runtime.context import ActorContext
from clawactors.runtime.node.failure import classify
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from tests.clawactors.runtime.cluster import Cluster, ManualClock, Stage

FAST = Retry(max_retries=3, wait_s=0.01, jitter=0)


async def test_what_failed_for_lack_of_memory_goes_to_another_node() -> None:
    tried: list[str] = []

    def on(node: str) -> Any:
        @skill("big", retry=FAST)
        async def big(task: Handle) -> str:
            tried.append(node)
            if len(tried) == 1:
                raise MemoryError
            return node

        return big

    async with Cluster() as cluster:
        await cluster.control()
        for node in ("n1", "n2"):
            await cluster.node(node, [on(node)])
        await cluster.client().submit("big", id="t")
        task = await cluster.until_status("t", "completed")
        assert tried == ["n1", "n2"]
        assert task.life.avoid == "n1"


async def test_a_node_that_had_better_be_avoided_is_taken_when_no_other_has_room() -> None:
    @skill("big", retry=FAST)
    async def big(task: Handle) -> int:
        if task.attempt == 1:
            raise MemoryError
        return task.attempt

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [big])
        await cluster.client().submit("big", id="t")
        assert (await cluster.until_status("t", "completed")).life.result == 2


async def test_a_failure_that_needs_a_person_blocks_the_task_until_it_is_retried(stage: Stage) -> None:
    @skill("locked")
    async def locked(task: Handle) -> int:
        if task.attempt == 1:
            raise PermissionError("the key does not open it")
        return task.attempt

    task = await stage.run(locked)
    assert task.life.status == "blocked"
    assert "the key does not open it" in task.life.blocked_reason
    await stage.tell("t", c.RetryTask())
    assert (await stage.run(locked)).life.result == 2


async def test_the_rules_of_the_skill_are_asked(stage: Stage) -> None:
    @skill("metered", errors=[ErrorRule(kind="quota", text="used up", strategy="give_up")])
    async def metered(task: Handle) -> None:
        raise RuntimeError("the quota is used up")

    life = (await stage.run(metered)).life
    assert (life.status, life.error and life.error.kind) == ("failed", "quota")


async def test_how_many_retries_there_are_is_told_as_they_count(stage: Stage) -> None:
    @skill("twice", retry=Retry(max_retries=1, wait_s=0.01))
    async def twice(task: Handle) -> None:
        raise RuntimeError("no")

    assert (await stage.run(twice)).max_retries == 1
    await stage.tell("t", c.Ready())
    assert (await stage.run(twice)).life.status == "dead"
    wished = await stage.run(twice, id="wished", max_retries=0)
    assert (wished.life.status, wished.max_retries) == ("dead", 0)


@pytest.mark.parametrize("jump_s", [-3600.0, 3600.0])
async def test_the_time_of_a_retry_is_computed_from_the_time_of_the_log(stage: Stage, jump_s: float) -> None:
    @skill("later", retry=Retry(wait_s=10, jitter=0))
    async def later(task: Handle) -> None:
        raise RuntimeError("not yet")

    log_ns = (await stage.log.head()).at_ns
    stage.here = ActorContext(stage.wire, ManualClock(log_ns / 1e9 + jump_s), "node/n1")
    stage.here.time.follow(log_ns, stage.here.time.asking())
    life = (await stage.run(later)).life
    assert life.status == "waiting"
    assert abs(life.until_ns - log_ns - 10 * 10**9) < 60 * 10**9


@pytest.mark.parametrize("in_thread", [False, True])
@pytest.mark.parametrize(("retries", "outcome"), [(2, "completed"), (1, "waiting")])
async def test_a_step_is_tried_again_here(stage: Stage, in_thread: bool, retries: int, outcome: str) -> None:
    calls: list[int] = []

    def flaky(value: int) -> int:
        calls.append(value)
        if len(calls) < 3:
            raise RuntimeError("not yet")
        return value

    retry = Retry(retries, wait_s=0.001)

    @skill("flaky")
    async def in_loop(task: Handle) -> int:
        return await task.step("s", flaky, 7, retry=retry)

    @skill("flaky")
    def threaded(task: SyncTask) -> int:
        return task.step("s", flaky, 7, retry=retry)

    task = await stage.run(threaded if in_thread else in_loop)
    assert task.life.status == outcome
    assert calls == [7] * (retries + 1)
    failed = [event for event in stage.events("t") if isinstance(event, e.StepFailed)]
    assert len(failed) == 2
    assert task.life.failures == (outcome == "waiting")


async def test_a_step_that_would_come_back_the_same_is_not_tried_again(stage: Stage) -> None:
    calls: list[int] = []

    def wrong() -> None:
        calls.append(1)
        raise ValueError("a date in the past")

    @skill("wrong")
    async def code(task: Handle) -> None:
        await task.step("s", wrong, retry=Retry(9, wait_s=0.001))

    assert (await stage.run(code)).life.status == "failed"
    assert calls == [1]


async def test_an_attempt_that_is_over_tries_no_step_again(stage: Stage) -> None:
    @skill("endless")
    async def endless(task: Handle) -> None:
        await task.step("s", fails, retry=Retry(9, wait_s=1000, cap_s=1000))

    async def fails() -> None:
        raise RuntimeError("again")

    run = await stage.assign(endless)
    running = stage.begin(run)
    await stage.until_event("t", "step.failed")
    await stage.tell("t", c.Cancel())
    await stage.hear(run)
    await running
    assert stage.task("t").life.status == "cancelled"


def test_a_group_has_the_class_that_all_in_it_have() -> None:
    same = ExceptionGroup("both", [ConnectionResetError(), ExceptionGroup("more", [ConnectionAbortedError()])])
    assert classify(same)[0].kind == "network"
    assert classify(ExceptionGroup("mixed", [ConnectionResetError(), MemoryError()]))[0].kind == "unknown"


def test_a_cause_tells_the_class() -> None:
    error = RuntimeError("no rows")
    error.__cause__ = ConnectionResetError("gone")
    assert classify(error)[0].kind == "network"
    error.__cause__ = error
    assert classify(error)[0].kind == "unknown"
