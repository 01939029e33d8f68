"""What callers see: submitting once, waiting for ends however they come, changing tasks."""

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from clawactors import Retry, skill
from clawactors.eventlog import Draft, PermissionDenied, Unavailable
from clawactors.kernel.errors import Changed, NotFound, Refused
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.client import ClusterClient, TaskFailed
from clawactors.runtime.client.submitting import Rejected, TaskRequest
from clawactors.runtime.node.context import TaskContext
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.external import request_of
from clawactors.systems.tasks.submission import spec_of
from tests.clawactors.runtime.cluster import ANSWERING, PATIENCE_S, Cluster, Stage, all_turns
from tests.clawactors.runtime.test_node import Work

MANY = 1100
"""So many awaited tasks do not fit one registration."""


@skill("echo")
async def echo(task: TaskContext, text: str = "") -> str:
    return text


@skill("fails", retry=Retry(max_retries=0))
async def fails(task: TaskContext, kind: str) -> None:
    raise ValueError("bad input") if kind == "failed" else RuntimeError("no luck")


async def running(cluster: Cluster, *skills: Any, slots: int = 5) -> ClusterClient:
    await cluster.control()
    await cluster.node("n1", [echo, fails, *skills], slots=slots)
    return cluster.client()


# Submitting


async def test_a_task_is_submitted_once_however_often_it_is_asked_for(cluster: Cluster) -> None:
    client = cluster.client()
    refs = [await client.submit("echo", {"text": "hi", "n": (1, 2)}, id="t1") for _ in range(3)]
    assert [ref.id for ref in refs] == ["t1"] * 3
    assert cluster.named("t1") == ["task.submitted"]
    assert (await asyncio.gather(*(cluster.client().submit("echo", id="t2") for _ in range(5))))[0].id == "t2"
    assert cluster.named("t2") == ["task.submitted"]


async def test_an_id_that_is_taken_by_something_else_is_refused_and_says_by_what(cluster: Cluster) -> None:
    client = cluster.client()
    await client.submit("echo", {"text": "hi"}, id="t1")
    with pytest.raises(Refused, match="task t1 exists with different parameters"):
        await client.submit("echo", {"text": "ho"}, id="t1")
    with pytest.raises(Refused, match="priority"):
        await client.submit("echo", {"text": "hi"}, id="t1", priority="high")
    assert cluster.named("t1") == ["task.submitted"]


async def test_the_same_key_is_the_same_task_everywhere(cluster: Cluster) -> None:
    first = await cluster.client().submit("echo", key="order 7 / μ")
    second = await cluster.client().submit("echo", key="order 7 / μ")
    assert first.id == second.id
    assert (await cluster.client().submit("echo", key="order 8")).id != first.id
    with pytest.raises(Refused, match="not both"):
        await cluster.client().submit("echo", key="k", id="t")


@pytest.mark.parametrize("id", ["", "a.b", "a b", "*", ">", "a/b", "ü", "x" * 129, "x" * 10_000, "a\n", "\x00"])
async def test_an_id_that_is_no_subject_token_never_reaches_the_wire(cluster: Cluster, id: str) -> None:
    client = cluster.client()
    for call in (lambda: client.submit("echo", id=id), lambda: client.run("echo", id=id), lambda: client.cancel(id)):
        with pytest.raises(Refused, match="letters"):
            await call()
    with pytest.raises(Refused):
        client.ref(id)
    assert cluster.log.last_seq == 0
    assert client.ends._awaited == {}


async def test_tasks_without_an_id_get_one_of_their_own(cluster: Cluster) -> None:
    client = cluster.client()
    assert len({(await client.submit("echo")).id for _ in range(50)}) == 50


async def test_parameters_are_checked_against_what_the_nodes_offer_before_anything_is_written(
    cluster: Cluster,
) -> None:
    client = cluster.client()
    offers = [echo.offer]
    asked = 0

    async def answer(_: bytes) -> bytes:
        nonlocal asked
        asked += 1
        return msgspec.json.encode({"rows": offers})

    await cluster.requests.serve("claw.query.*.skills", answer)
    with pytest.raises(Refused, match="'text' takes string"):
        await client.submit("echo", {"text": 5})
    with pytest.raises(Refused, match="does not take 'volume'"):
        await client.submit("echo", {"volume": 5})
    assert cluster.log.last_seq == 0
    await client.submit("echo", {"text": "hi"})
    await client.submit("nobody-has-it-yet", {"any": "thing"})

    @skill("echo", version="2")
    async def louder(task: TaskContext, text: str = "", volume: int = 1) -> str:
        return text * volume

    offers[:] = [louder.offer]
    await client.submit("echo", {"volume": 5})
    before = asked
    await client.submit("echo", {"volume": 6})
    assert asked == before


@pytest.mark.parametrize("answer", [b"", b"{", b"[]", b'{"rows":[{"name":5}]}', b"\xff"])
async def test_a_strange_answer_about_skills_holds_up_no_submit(cluster: Cluster, answer: bytes) -> None:
    async def strange(_: bytes) -> bytes:
        return answer

    await cluster.requests.serve("claw.query.*.skills", strange)
    await cluster.client().submit("echo", {"x": 1}, id="t1")
    assert cluster.named("t1") == ["task.submitted"]


async def test_a_submit_in_doubt_is_settled_by_the_same_submit(cluster: Cluster) -> None:
    client = cluster.client()
    for point in ("before", "after"):
        id, failures = f"t-{point}", iter(range(1))

        def fault(at: str, draft: Draft, point: str = point, failures: Iterator[int] = failures) -> None:
            if at == point and next(failures, None) is not None:
                raise Unavailable("away")

        cluster.links[ANSWERING].fault = fault
        await client.submit("echo", id=id)
        assert next(failures, None) is None
        await client.submit("echo", id=id)
        assert cluster.named(id) == ["task.submitted"]


async def test_that_nobody_answers_is_told_at_the_deadline(cluster: Cluster) -> None:
    cluster.answers = True  # nothing does
    submit = request_of(c.Submit(spec_of("echo")))
    with pytest.raises(Unavailable, match=r"no control process leads; .* may or may not have taken effect"):
        await cluster.client().sender.ask("task", "t1", submit, deadline_s=0.2)


async def test_garbage_under_an_id_does_not_keep_a_task_from_it(cluster: Cluster) -> None:
    cluster.log.publish("claw.task.t1.log", b"garbage")
    cluster.log.publish("claw.task.t1.log", e.CODEC.encode((e.Completed(1),)))
    client = cluster.client()
    with pytest.raises(NotFound):
        await client.snapshot("t1")
    await client.submit("echo", id="t1")
    assert cluster.task("t1").life.status == "pending"


# Many at once


async def test_a_batch_makes_what_is_new_counts_what_is_there_and_tells_what_is_refused(cluster: Cluster) -> None:
    client = cluster.client()
    client.skills.add([echo.offer])
    await client.submit("echo", {"text": "old"}, id="old")
    await client.submit("echo", {"text": "old"}, id="other")
    hi = spec_of("echo", {"text": "hi"})
    requests = [
        TaskRequest("t1", hi),
        TaskRequest("old", spec_of("echo", {"text": "old"})),
        TaskRequest("bad id", hi),
        TaskRequest("t2", spec_of("echo", {"text": 5})),
        TaskRequest("other", hi),
        TaskRequest("t1", hi),
        TaskRequest("t1", spec_of("echo", {"text": "ho"})),
        TaskRequest("large", spec_of("unknown", description="x" * 2_000_000)),
        TaskRequest("t3", spec_of("unknown", {"text": 5})),
    ]
    batch = await client.submit_many(requests)
    assert (batch.submitted, batch.existing) == (2, 2)
    assert [(each.index, each.id) for each in batch.refused] == [
        (2, "bad id"),
        (3, "t2"),
        (4, "other"),
        (6, "t1"),
        (7, "large"),
    ]
    assert [cluster.named(id) for id in ("t1", "t3", "t2", "large")] == [["task.submitted"]] * 2 + [[]] * 2
    again = await client.submit_many(requests)
    assert (again.submitted, again.existing) == (0, 4)
    assert [each.index for each in again.refused] == [2, 3, 4, 6, 7]
    assert isinstance(again.refused[0], Rejected)


async def test_a_batch_in_doubt_is_settled_by_the_same_batch(cluster: Cluster) -> None:
    client = cluster.client()
    count = 0

    def fault(at: str, draft: Draft) -> None:
        nonlocal count
        count += 1
        if count % 7 == 0:
            raise Unavailable("away")

    cluster.links[ANSWERING].fault = fault
    requests = [TaskRequest(f"t{n}", spec_of("echo", {"text": str(n)})) for n in range(50)]
    batch = await client.submit_many(requests)
    assert count > 100, "some were asked for twice"
    assert batch.submitted + batch.existing == 50
    assert batch.refused == ()
    assert all(cluster.named(request.id) == ["task.submitted"] for request in requests)
    again = await client.submit_many(requests)
    assert (again.submitted, again.existing, again.refused) == (0, 50, ())


async def test_an_empty_batch_is_fine(cluster: Cluster) -> None:
    batch = await cluster.client().submit_many([])
    assert (batch.submitted, batch.existing, batch.refused) == (0, 0, ())


# Waiting


async def test_a_result_is_had_by_whoever_waits_before_and_after_the_end(cluster: Cluster) -> None:
    client = await running(cluster)
    ref = await client.submit("echo", {"text": "hi"}, id="t1")
    assert await asyncio.gather(*(ref.result(PATIENCE_S) for _ in range(5))) == ["hi"] * 5
    assert await ref.result(PATIENCE_S) == "hi"
    assert await cluster.client().ref("t1").result() == "hi"
    assert await client.run("echo", {"text": "hi"}, id="t1", wait_s=PATIENCE_S) == "hi"
    assert client.ends._awaited == {}


@pytest.mark.parametrize("status", ["failed", "dead"])
async def test_a_task_that_ends_badly_raises_with_what_happened(cluster: Cluster, status: str) -> None:
    client = await running(cluster)
    for _ in range(2):
        with pytest.raises(TaskFailed) as failure:
            await client.run("fails", {"kind": status}, id="t1", wait_s=PATIENCE_S)
        assert (failure.value.id, failure.value.status) == ("t1", status)
        assert failure.value.error is not None
        assert failure.value.error.message in str(failure.value)


async def test_waiting_has_an_end_and_leaves_nothing_behind(cluster: Cluster) -> None:
    client = cluster.client()
    ref = await client.submit("echo", id="t1")
    with pytest.raises(TimeoutError, match=r"t1 has not ended within 0\.02 s"):
        await ref.result(timeout_s=0.02)
    with pytest.raises(TimeoutError):
        await client.run("echo", id="t2", wait_s=0.02)
    assert client.ends._awaited == {}


async def test_one_that_gives_up_waiting_does_not_disturb_the_others(cluster: Cluster) -> None:
    work = Work()
    client = await running(cluster, work.skill)
    ref = await client.submit("work", id="t1")
    patient = asyncio.create_task(ref.result(PATIENCE_S))
    cancelled = asyncio.create_task(ref.result(PATIENCE_S))
    with pytest.raises(TimeoutError):
        await ref.result(timeout_s=0.02)
    cancelled.cancel()
    await asyncio.wait((cancelled,))
    work.let_all_out()
    assert await patient == "t1"


async def test_what_does_not_exist_is_not_found_and_not_waited_for(cluster: Cluster) -> None:
    client = cluster.client()
    ref = client.ref("nobody")
    for call in (ref.snapshot, ref.result, ref.cancel):
        with pytest.raises(NotFound, match="nobody"):
            await call()
    assert client.ends._awaited == {}
    assert cluster.log.last_seq == 0


async def test_a_refused_run_leaves_nothing_behind(cluster: Cluster) -> None:
    client = cluster.client()
    await client.submit("echo", id="t1")
    with pytest.raises(Refused):
        await client.run("echo", {"text": "other"}, id="t1")
    assert client.ends._awaited == {}


@pytest.mark.parametrize("count", [5, MANY])
async def test_the_ends_of_many_come_as_they_happen_and_those_of_before_at_once(cluster: Cluster, count: int) -> None:
    work = Work()
    client = await running(cluster, work.skill, slots=count)
    ids = [f"t{n}" for n in range(count)]
    await client.submit_many([TaskRequest(id, spec_of("work")) for id in ids])
    await cluster.until(lambda: len(work.inside) == count)
    work.let_out("t3")
    await cluster.until_status("t3", "completed")
    ended = client.ended([*ids, "t3"])
    assert await anext(ended) == "t3"
    work.let_out("t1")
    assert await anext(ended) == "t1"
    work.let_all_out()
    assert sorted([id async for id in ended]) == sorted(set(ids) - {"t3", "t1"})
    assert client.ends._awaited == {}


@pytest.mark.parametrize("count", [3, MANY])
async def test_every_kind_of_end_is_heard_however_many_are_waited_for(stage: Stage, count: int) -> None:
    client = stage.client()
    ids = [f"t{n}" for n in range(count)]
    kinds = ["cancelled-pending", "cancelled-scheduled", "cancelled-running", "failed", "dead", "interrupted", "done"]
    await client.submit_many([TaskRequest(id, spec_of("echo")) for id in (*ids, *kinds)])
    waits = {id: asyncio.create_task(client.ref(id).result()) for id in (*ids, *kinds)}
    await all_turns()
    error = e.TaskError("unknown", "x")
    for id in kinds:
        if id == "cancelled-pending":
            await client.cancel(id)
            continue
        fence = (await stage.tell_to("n1", id, c.ScheduleTask("n1", "i1"))).fence
        if id == "cancelled-scheduled":
            await client.cancel(id)
            continue
        await stage.tell(id, c.StartTask(fence))
        match id:
            case "cancelled-running":
                await client.cancel(id)
                await stage.tell(id, c.ConfirmCancel(fence))
            case "failed":
                await stage.tell(id, c.Fail(fence, error, "failed"))
            case "dead":
                await stage.tell(id, c.Fail(fence, error, "dead"))
            case "interrupted":
                await stage.tell(id, c.Interrupt(fence, "gone"))
                for _ in range(4):
                    fence = (await stage.tell(id, c.ScheduleTask("n1", "i1"))).fence
                    await stage.tell(id, c.StartTask(fence), c.Interrupt(fence, "gone"))
            case "done":
                await stage.tell(id, c.Complete(fence, 7))
    async with asyncio.timeout(PATIENCE_S):
        outcomes = await asyncio.gather(*(waits[id] for id in kinds), return_exceptions=True)
    assert [getattr(outcome, "status", outcome) for outcome in outcomes] == [
        *["cancelled"] * 3, "failed", "dead", "dead", 7,
    ]  # fmt: skip
    for id in ids:
        waits[id].cancel()
    await asyncio.wait(waits.values())
    assert client.ends._awaited == {}


async def test_a_task_made_to_go_once_more_is_waited_for_once_more(cluster: Cluster) -> None:
    well = asyncio.Event()

    @skill("moody", retry=Retry(max_retries=0))
    async def moody(task: TaskContext) -> str:
        if not well.is_set():
            raise RuntimeError("no")
        return "yes"

    client = await running(cluster, moody)
    ref = await client.submit("moody", id="t1")
    watching = client.ends.expect("t1")
    with pytest.raises(TaskFailed):
        await ref.result(PATIENCE_S)
    well.set()
    await client.command("t1", c.RetryTask())
    assert await ref.result(PATIENCE_S) == "yes"
    assert (await watching).status == "dead"


async def test_an_end_that_somebody_made_up_is_not_believed(cluster: Cluster) -> None:
    work = Work()
    client = await running(cluster, work.skill)
    ref = await client.submit("work", id="t1")
    waiting = asyncio.create_task(ref.result(PATIENCE_S))
    await cluster.until_status("t1", "running")
    for event in (e.Cancelled(), e.Started(), e.AttemptFailed(error=e.TaskError("x", "y"), then="bogus")):  # type: ignore[arg-type]
        cluster.log.publish("claw.task.t1.log", e.CODEC.encode((event,)))
        await all_turns()
    assert not waiting.done()
    work.let_all_out()
    assert await waiting == "t1"


async def test_waiting_for_a_task_that_a_later_release_wrote_to_ends_with_a_clear_refusal(cluster: Cluster) -> None:
    client = cluster.client()
    ref = await client.submit("echo", id="t1")
    waiting = asyncio.create_task(ref.result())
    await all_turns()
    cluster.log.publish("claw.task.t1.log", b'{"v":1,"events":[{"type":"task.teleported"}]}')
    with pytest.raises(Refused, match="newer release"):
        await asyncio.wait_for(waiting, PATIENCE_S)
    with pytest.raises(Refused, match="newer release"):
        await asyncio.wait_for(ref.result(), PATIENCE_S)
    with pytest.raises(Refused, match="newer release"):
        await ref.cancel()


async def test_what_a_broken_connection_missed_is_asked_for_when_it_is_back(cluster: Cluster) -> None:
    go = asyncio.Event()

    @skill("held")
    async def held(task: TaskContext, text: str) -> str:
        await go.wait()
        return text

    client = await running(cluster, held)
    link = cluster.links[client.process.by]
    waits = [asyncio.create_task(client.run("held", {"text": str(n)}, id=f"t{n}")) for n in range(3)]
    for n in range(3):
        await cluster.until_status(f"t{n}", "running")
    link.unplug()
    go.set()
    await cluster.until(lambda: all(cluster.task(f"t{n}").life.status == "completed" for n in range(3)))
    await all_turns()
    assert not any(wait.done() for wait in waits)
    link.plug()
    client.ends.register_all()  # as when a connection comes back
    async with asyncio.timeout(PATIENCE_S):
        assert await asyncio.gather(*waits) == ["0", "1", "2"]


async def test_who_may_not_listen_is_told_and_does_not_wait(cluster: Cluster) -> None:
    client = await running(cluster)
    ref = await client.submit("nobody-has-it", id="t1")

    async def forbidden(pattern: str, on_message: object) -> Any:
        raise PermissionDenied(pattern, "subscribe to")

    cluster.links[client.process.by].subscribe = forbidden  # type: ignore[method-assign]
    with pytest.raises(PermissionDenied):
        await ref.result(PATIENCE_S)
    with pytest.raises(PermissionDenied):
        await asyncio.wait_for(anext(client.ended(["t1"])), PATIENCE_S)
    with pytest.raises(PermissionDenied):
        await client.run("nobody-has-it", id="t2")


# Changing


async def test_a_cancel_ends_what_waits_and_is_confirmed_by_what_runs(cluster: Cluster) -> None:
    work = Work()
    client = await running(cluster, work.skill, slots=1)
    refs = [await client.submit("work", id=f"t{n}") for n in range(3)]
    unplaced = await client.submit("nobody-has-it", id="t9")
    await cluster.until_status("t0", "running")
    for ref in (unplaced, *reversed(refs)):
        known = await ref.cancel()
        assert known.state.life.cancel_requested
        with pytest.raises(TaskFailed) as failure:
            await ref.result(PATIENCE_S)
        assert failure.value.status == "cancelled"
    assert work.came == ["t0"]
    with pytest.raises(Refused, match="cancelled already"):
        await refs[0].cancel()


async def test_what_has_ended_can_not_be_cancelled_and_the_refusal_says_how_it_ended(cluster: Cluster) -> None:
    client = await running(cluster)
    await client.run("echo", id="t1", wait_s=PATIENCE_S)
    with pytest.raises(Refused, match="completed"):
        await client.cancel("t1")


@pytest.mark.parametrize("seed", range(8))
async def test_of_a_cancel_and_a_completion_that_race_exactly_one_wins_and_both_see_which(seed: int) -> None:
    async with Cluster(seed=seed) as cluster:
        assert cluster.chance is not None

        @skill("brief")
        async def brief(task: TaskContext, turns: int) -> str:
            for _ in range(turns):
                await asyncio.sleep(0)
            return "done"

        client = await running(cluster, brief, slots=20)
        ids = [f"t{n}" for n in range(40)]

        async def race(id: str, turns: int, wait: int) -> tuple[str, str]:
            ref = await client.submit("brief", {"turns": turns}, id=id)
            for _ in range(wait):
                await asyncio.sleep(0)
            try:
                await ref.cancel()
                canceller = "cancelled"
            except Refused as refusal:
                canceller = "refused" if "completed" in str(refusal) else str(refusal)
            try:
                return canceller, await ref.result(PATIENCE_S)
            except TaskFailed as failure:
                return canceller, failure.status

        chance = cluster.chance
        outcomes = await asyncio.gather(*(race(id, chance.randint(0, 400), chance.randint(0, 200)) for id in ids))
        for id, (canceller, waiter) in zip(ids, outcomes, strict=True):
            status = cluster.task(id).life.status
            assert {"completed": "done", "cancelled": "cancelled"}[status] == waiter, f"seed {seed}, {id}"
            assert canceller == "cancelled" or (canceller, status) == ("refused", "completed")
            assert cluster.named(id).count("task.completed") + cluster.named(id).count("task.cancelled") == 1
        assert len(set(outcomes)) > 1, f"seed {seed}: no race took place"


async def test_commands_reach_the_task_whatever_comes_in_between(cluster: Cluster) -> None:
    client = cluster.client()
    await client.submit("echo", id="t1")
    pokes = iter(range(6))

    def fault(point: str, draft: Draft) -> None:
        if point == "before" and next(pokes, None) is not None:
            cluster.log.publish("claw.task.t1.log", b"in between")

    cluster.links[ANSWERING].fault = fault
    known = await client.command("t1", c.Pause())
    assert known.state.life.status == "paused"
    assert known.version == cluster.folded("t1").version


async def test_many_signals_at_once_are_all_kept(cluster: Cluster) -> None:
    await cluster.client().submit("echo", id="t1")
    await asyncio.gather(*(cluster.client().command("t1", c.Signal("n", n)) for n in range(30)))
    entries = [cluster.task("t1").journal.nth("signal:n", n) for n in range(30)]
    assert sorted(entry.result for entry in entries if entry is not None) == list(range(30))


async def test_an_unanswered_question_is_unavailable(cluster: Cluster) -> None:
    with pytest.raises(Unavailable):
        await cluster.client(timeout_s=0.2).ask("tasks", {})


# Changing


@skill("gathers")
async def gathers(task: TaskContext, count: int) -> list[Any]:
    return [await task.signal("go") for _ in range(count)]


async def test_ten_thousand_signals_at_once_are_a_few_commits_and_are_taken_in_order(cluster: Cluster) -> None:
    client = await running(cluster, gathers)
    ref = await client.submit("gathers", {"count": 10_000}, id="t1")
    await cluster.until_status("t1", "running")
    writing, written = asyncio.Event(), asyncio.Event()
    cluster.links["control/1"].hold = (b"task.signalled", writing, written)
    sent = asyncio.gather(*(ref.signal("go", number) for number in range(10_000)))
    await writing.wait()
    await all_turns()
    written.set()
    await sent
    assert sum(b"task.signalled" in commit.record.body for commit in cluster.commits("t1")) < 10
    assert await ref.result(PATIENCE_S) == list(range(10_000))


async def test_one_refusal_among_commands_that_leave_together_is_its_own(cluster: Cluster) -> None:
    client = cluster.client()
    ref = await client.submit("nobody-has-it", id="t1")
    writing, written = asyncio.Event(), asyncio.Event()
    cluster.links[ANSWERING].hold = (b"task.signalled", writing, written)
    good = [ref.signal("go", number) for number in range(5)]
    asked = asyncio.gather(*good, ref.retry(), ref.signal("go", 5), return_exceptions=True)
    await writing.wait()
    written.set()
    outcomes = await asked
    assert [isinstance(outcome, Refused) for outcome in outcomes] == [False] * 5 + [True, False]
    assert [event.payload for event in cluster.events("t1")[1:]] == list(range(6))
    with pytest.raises(NotFound):
        await client.signal("nobody", "go")
    with pytest.raises(Refused, match="named"):
        await client.signal("t1", "")
    assert client.sender._held == {}


async def test_parameters_are_checked_when_they_are_edited(cluster: Cluster) -> None:
    client = cluster.client()
    client.skills.add([echo.offer])
    ref = await client.submit("echo", {"text": "hi"}, id="t1")
    with pytest.raises(Refused, match="text"):
        await ref.edit(params={"text": 7})
    assert cluster.named("t1") == ["task.submitted"]


async def test_a_task_with_large_parameters_is_edited(cluster: Cluster) -> None:
    client = await running(cluster)
    large = "x" * 300_000
    ref = await client.submit("echo", {"text": large}, id="t1", delay_s=3600)
    await ref.edit(priority="low")
    await ref.edit(not_before_ns=0)
    assert await ref.result(PATIENCE_S) == large


async def test_a_task_is_deleted_only_at_the_version_that_was_read(cluster: Cluster) -> None:
    client = cluster.client()
    ref = await client.submit("nobody-has-it", id="t1")
    read = (await ref.snapshot()).version
    deletes = [client.delete("t1", version=read), ref.pause(), client.delete("t1", version=read)]
    first, _, second = await asyncio.gather(*deletes, return_exceptions=True)
    assert (type(first), type(second)) == (Snapshot, Changed), "all three were decided in one turn"
    with pytest.raises(Changed, match="task t1 has changed since version 0: read it again"):
        await client.delete("t1", version=0)


async def test_a_task_is_held_edited_and_taken_away(cluster: Cluster) -> None:
    client = cluster.client()
    ref = await client.submit("nobody-has-it", {"n": 1}, id="t1")
    assert (await ref.pause()).state.life.status == "paused"
    edited = await ref.edit(priority="urgent", params={"n": 2})
    assert edited.state.spec is not None
    assert (edited.state.spec.priority, edited.state.spec.params) == (4, {"n": 2})
    with pytest.raises(Refused, match="'skill' can't be changed"):
        await ref.edit(skill="echo")
    assert (await ref.resume()).state.life.status == "pending"
    assert (await ref.delete()).state.life.status == "archived"
    for call in (ref.cancel, ref.pause, ref.resume, ref.retry, ref.delete, lambda: ref.signal("go")):
        with pytest.raises(Refused, match="archived"):
            await call()


class Rows:
    """Answers for the views: the dead tasks of a cluster, a page at a time."""

    def __init__(self, cluster: Cluster, *ids: str) -> None:
        self.cluster, self.ids = cluster, ids

    async def answer(self, body: bytes) -> bytes:
        question = msgspec.json.decode(body)
        left = [id for id in self.ids if id > question["cursor"]][:2]
        rows = []
        for id in left:
            known = self.cluster.folded(id)
            error = known.state.life.error
            if known.state.life.status in question["status"]:
                rows.append({"id": id, "version": known.version, "error": error and {"class": error.kind}})
        return msgspec.json.encode({"rows": rows, "cursor": left[-1] if len(left) == 2 else None})


async def dead(cluster: Cluster, count: int) -> tuple[ClusterClient, list[str]]:
    client = await running(cluster)
    ids = [f"t{n}" for n in range(count)]
    for id in ids:
        await client.submit("fails", {"kind": "dead"}, id=id)
    for id in ids:
        await cluster.until_status(id, "dead")
    await cluster.requests.serve("claw.query.*.tasks", Rows(cluster, *ids).answer)
    return client, ids


async def test_dead_tasks_are_redriven_once_by_however_many(cluster: Cluster) -> None:
    client, ids = await dead(cluster, 5)
    await cluster.kill("control/1")
    cluster.answer()
    assert await client.redrive(error="memory") == []
    told: list[tuple[int, int]] = []
    [one] = await client.redrive(limit=1)
    assert one.task is not None
    assert one.task.state.life.status == "pending"
    twice = await asyncio.gather(
        client.redrive(progress=lambda *at: told.append(at)), cluster.client("client/b").redrive()
    )
    assert sorted(each.id for outcome in twice for each in outcome if each.task) == ids[1:]
    assert all(cluster.named(id).count("task.retried") == 1 for id in ids)
    assert told == [(done, 4) for done in range(5)]
    assert (await client.redrive("t1"))[0].left == "the task is pending, not dead"
    with pytest.raises(NotFound):
        await client.redrive("t1", "nobody")


async def test_what_has_died_again_since_it_was_listed_is_left_alone(cluster: Cluster) -> None:
    client, _ = await dead(cluster, 1)
    answered, go = asyncio.Event(), asyncio.Event()
    stale = await Rows(cluster, "t0").answer(b'{"cursor":"","status":["dead"]}')

    async def answer(body: bytes) -> bytes:
        answered.set()
        await go.wait()
        return stale

    await cluster.requests.serve("claw.query.*.tasks", answer)
    late = asyncio.create_task(client.redrive())
    await answered.wait()
    await client.retry("t0")
    await cluster.until(lambda: cluster.named("t0").count("task.attempt_failed") == 2)
    go.set()
    [left] = await late
    assert (left.task, left.left) == (None, "it has moved on: it is dead")


async def test_a_redrive_keeps_its_pace(cluster: Cluster) -> None:
    client, _ = await dead(cluster, 4)
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await client.redrive(rate_per_s=20)
    assert loop.time() - began_s >= 3 / 20
    with pytest.raises(Refused, match="rate"):
        await client.redrive(rate_per_s=0)
