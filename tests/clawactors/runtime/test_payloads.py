"""R-T10: what is too large for an event goes by reference; code and callers see the whole."""

import asyncio
from typing import Any

import msgspec
import pytest

from clawactors.kernel.errors import Refused
from clawactors.runtime.client.submitting import TaskRequest
from clawactors.runtime.node import results
from clawactors.runtime.node.context import TaskContext
from clawactors.runtime.node.synccontext import SyncTaskContext
from clawactors.systems.skills import skill
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.payload import INLINE_MAX_BYTES, PAYLOAD_MAX_BYTES, is_reference, named_in, reference
from clawactors.systems.tasks.submission import spec_of
from tests.clawactors.runtime.cluster import Cluster, Stage

LARGE = "x" * (INLINE_MAX_BYTES + 1)
CHANCE = {"$blob": "what code calls so", "more": 1}


@skill("double")
async def double(task: TaskContext, text: str) -> str:
    """Returns twice what it takes."""
    return text + await task.step("same", str, text)


@skill("takes-all")
async def takes_all(task: TaskContext, **params: Any) -> Any:
    """Returns what it takes."""
    return params


async def test_large_parameters_and_results_come_back_whole_and_leave_the_log_small(cluster: Cluster) -> None:
    await cluster.control()
    await cluster.node("n1", [double])
    client = cluster.client()
    ref = await client.submit("double", {"text": LARGE}, id="t")
    assert await ref.result(10) == LARGE * 2
    assert await client.run("double", {"text": LARGE}, wait_s=10) == LARGE * 2
    task = cluster.task("t")
    assert task.spec is not None
    assert is_reference(task.spec.params)
    assert is_reference(task.life.result)
    assert named_in(task.life.result)[1] == 2 * len(LARGE) + 2
    entry = task.journal.last("same")
    assert entry is not None
    assert is_reference(entry.result)
    assert len(cluster.blobs.kept) == 3, "equal payloads share one"
    assert max(len(record.body) for record in cluster.log._records) < 2000


async def test_a_batch_sends_large_parameters_by_reference_too(cluster: Cluster) -> None:
    client = cluster.client()
    requests = [TaskRequest(f"t{n}", spec_of("double", {"text": LARGE})) for n in range(3)]
    assert (await client.submit_many(requests)).submitted == 3
    assert (await client.submit_many(requests)).existing == 3
    other = TaskRequest("t0", spec_of("double", {"text": LARGE + "y"}))
    [refused] = (await client.submit_many([other])).refused
    assert "different parameters" in refused.message


async def test_the_same_submit_again_is_quiet_and_another_content_is_refused(cluster: Cluster) -> None:
    """R-T6 by content, also of what went by reference."""
    client = cluster.client()
    for _ in range(2):
        await client.submit("double", {"text": LARGE}, id="t")
    assert len(cluster.events("t")) == 1
    with pytest.raises(Refused, match="different parameters"):
        await client.submit("double", {"text": LARGE[:-1] + "y"}, id="t")


async def test_what_looks_like_a_reference_is_none(cluster: Cluster) -> None:
    """Rule 2 of payload: however small it is."""
    await cluster.control()
    await cluster.node("n1", [takes_all])
    ref = await cluster.client().submit("takes-all", CHANCE)
    assert await ref.result(10) == CHANCE
    for on_record in (cluster.task(ref.id).spec.params, cluster.task(ref.id).life.result):  # type: ignore[union-attr]
        assert named_in(on_record)


async def test_a_schedule_has_large_parameters_by_reference(cluster: Cluster) -> None:
    client = cluster.client()
    known = await client.schedules.add("nightly", "0 3 * * *", "double", {"text": LARGE})
    assert known.state.plan is not None
    assert is_reference(known.state.plan.task.params)
    assert await client.payloads.load_payload(known.state.plan.task.params) == {"text": LARGE}


async def test_more_than_a_task_can_hold_is_refused_before_anything_is_written(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clawactors.runtime.payloads.PAYLOAD_MAX_BYTES", INLINE_MAX_BYTES)
    with pytest.raises(Refused, match=r"256\.0 KB that a task can hold"):
        await cluster.client().submit("double", {"text": LARGE}, id="t")
    assert not cluster.events("t")
    assert not cluster.blobs.kept


async def test_a_result_that_is_too_large_fails_the_task(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "PAYLOAD_MAX_BYTES", INLINE_MAX_BYTES)
    task = await stage.run(double, {"text": LARGE})
    assert task.life.status == "failed"
    assert task.life.error is not None
    assert "results may have" in task.life.error.message


async def test_parameters_that_are_gone_block_the_task(stage: Stage) -> None:
    task = await stage.run(double, reference("0" * 64, 7))
    assert task.life.status == "blocked"
    assert "its parameters can't be loaded: the object store has no payload" in task.life.blocked_reason


async def test_a_wrong_reference_blocks_the_task(stage: Stage) -> None:
    task = await stage.run(double, {"$blob": 7})
    assert task.life.status == "blocked"
    assert "no reference" in task.life.blocked_reason


async def test_a_damaged_step_result_blocks_the_task_and_a_retry_goes_on(stage: Stage) -> None:
    @skill("late")
    async def late(task: TaskContext, fail: bool) -> int:
        length = len(await task.step("large", str, LARGE))
        if task.attempt == 1:
            raise ConnectionError("try again")
        return length

    await stage.run(late, {"fail": True})
    [(name, body)] = stage.blobs.kept.items()
    stage.blobs.kept[name] = b"something else"
    await stage.tell("t", c.Ready())
    task = await stage.run(late)
    assert task.life.status == "blocked"
    assert "the result of step 'large' can't be loaded" in task.life.blocked_reason
    stage.blobs.kept[name] = body
    await stage.tell("t", c.RetryTask())
    assert (await stage.run(late)).life.result == len(LARGE)


async def test_large_results_of_threads(stage: Stage) -> None:
    @skill("thread")
    def in_thread(task: SyncTaskContext, text: str) -> str:
        return task.step("same", str, text)

    task = await stage.run(in_thread, {"text": LARGE})
    assert await stage.client().payloads.load_payload(task.life.result) == LARGE


async def test_a_fork_begins_with_large_steps(cluster: Cluster) -> None:
    @skill("two")
    async def two(task: TaskContext) -> int:
        text = await task.step("large", str, LARGE)
        return await task.step("count", len, text)

    await cluster.control()
    await cluster.node("n1", [two])
    client = cluster.client()
    assert await client.run("two", id="t", wait_s=10) == len(LARGE)
    ref = await client.fork("t", "count", new_id="t2")
    assert await ref.result(10) == len(LARGE)


async def test_an_outage_of_the_store_only_delays_the_task(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    from clawactors.eventlog import Unavailable

    put, tries = stage.blobs.put, 0

    async def flaky(body: Any) -> str:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise Unavailable("away")
        return await put(body)

    monkeypatch.setattr(stage.blobs, "put", flaky)
    run = await stage.assign(double, {"text": "x" * 200_000})
    async with asyncio.timeout(10):
        await stage.begin(run)
    assert is_reference(stage.task("t").life.result)
    assert tries == 3


async def test_code_may_store_bytes_and_callers_get_them(cluster: Cluster) -> None:
    @skill("stores")
    async def stores(task: TaskContext) -> dict[str, Any]:
        return await task.store(b"\x00\xff" * 1000)

    await cluster.control()
    await cluster.node("n1", [stores])
    client = cluster.client()
    named = await client.run("stores", wait_s=10)
    assert named["bytes"] == 2000
    assert await client.blob(named["blob"]) == b"\x00\xff" * 1000


async def test_an_edit_leaves_large_parameters_or_brings_others(cluster: Cluster) -> None:
    client = cluster.client()
    await client.submit("double", {"text": LARGE}, id="t")
    [first] = cluster.blobs.kept
    await client.edit("t", priority="high")
    assert cluster.task("t").spec.params == reference(first, len(LARGE) + 11)  # type: ignore[union-attr]
    assert list(cluster.blobs.kept) == [first]
    await client.edit("t", params={"text": LARGE + "y"})
    assert await client.payloads.load_payload(cluster.task("t").spec.params) == {"text": LARGE + "y"}  # type: ignore[union-attr]


# Signals


@skill("hears")
async def hears(task: TaskContext, count: int) -> list[Any]:
    """Takes so many signals, with a step between them."""
    heard = []
    for number in range(count):
        heard.append(await task.signal("go"))
        await task.step(f"s{number}", len, heard)
    return heard


async def test_large_signals_go_by_reference_and_code_and_forks_get_them_whole(cluster: Cluster) -> None:
    await cluster.control()
    await cluster.node("n1", [hears])
    client = cluster.client()
    payloads = [LARGE, "small", CHANCE, [LARGE]]
    ref = await client.submit("hears", {"count": 5}, id="t")
    await asyncio.gather(*(ref.signal("go", payload) for payload in payloads))
    in_command = msgspec.json.encode({"type": "task.signal", "name": "go", "payload": LARGE + "y"})
    cluster.commands_in.publish("claw.cmd.task.t", in_command)
    assert await ref.result(10) == [*payloads, LARGE + "y"]
    told = [event.payload for event in cluster.events("t") if isinstance(event, e.Signalled)]
    assert [is_reference(payload) for payload in told] == [True, False, True, True, True]
    assert max(len(record.body) for record in cluster.log._records) < 3000
    fork = await client.fork("t", "s4", new_id="f")
    assert await fork.result(10) == [*payloads, LARGE + "y"]


async def test_a_program_may_put_a_payload_into_the_object_store_itself(cluster: Cluster) -> None:
    await cluster.control()
    await cluster.node("n1", [hears])
    client = cluster.client()
    ref = await client.submit("hears", {"count": 1}, id="t")
    named = await client.payloads.store_blob(msgspec.json.encode({"all": LARGE}), "it")
    cluster.commands_in.publish(
        "claw.cmd.task.t", msgspec.json.encode({"type": "task.signal", "name": "go", "payload": named})
    )
    assert await ref.result(10) == [{"all": LARGE}]


async def test_a_signal_whose_payload_is_gone_blocks_the_task_and_says_so(cluster: Cluster) -> None:
    await cluster.control()
    await cluster.node("n1", [hears])
    client = cluster.client()
    ref = await client.submit("hears", {"count": 1}, id="t")
    body = {"type": "task.signal", "name": "go", "payload": reference("0" * 64, 3)}
    cluster.commands_in.publish("claw.cmd.task.t", msgspec.json.encode(body))
    task = await cluster.until_status("t", "blocked")
    assert "the signal 'go' can't be loaded" in task.life.blocked_reason
    with pytest.raises(Refused, match="the signal's payload"):
        await ref.signal("go", "x" * (PAYLOAD_MAX_BYTES + 1))
