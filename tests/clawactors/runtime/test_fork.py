"""Forks: a new task that begins with the steps of another one, made once however often it is asked for."""

import asyncio
from typing import Any

import pytest

from clawactors import Task as Handle
from clawactors import skill
from clawactors.eventlog import Draft, Unavailable
from clawactors.kernel.errors import NotFound, Refused
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.fork import fork
from clawactors.runtime.snapshots import LogSnapshots
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from tests.clawactors.runtime.cluster import Cluster, Stage


async def work(name: str, size: int) -> str:
    return name + "x" * size


@skill("story")
async def story(task: Handle, size: int = 0) -> list[Any]:
    begun = await task.signal("begin")
    lengths = [len(await task.step(name, work, name, size)) for name in ("one", "two", "three")]
    return [begun, *lengths, await task.signal("end")]


def dispatcher(cluster: Cluster, name: str) -> Dispatcher:
    """What a process of that name decides and appends with."""
    context = cluster.context(name)
    return Dispatcher(context, LogSnapshots(context.log))


async def told(cluster: Cluster, **params: Any) -> None:
    """The task `t`, which has ended."""
    client = cluster.client()
    await client.submit("story", params, id="t", tags=["a"], priority="high")
    for name in ("begin", "end"):
        await client.command("t", c.Signal(name, name))
    await cluster.node("n1", [story])
    await cluster.until_status("t", "completed")


async def test_a_fork_goes_on_from_the_step_and_both_know_of_it() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await told(cluster)
        await fork(dispatcher(cluster, "client/f"), "t", "two", "f")
        task = await cluster.until_status("f", "completed")
        assert task.life.result == ["begin", 3, 3, 5, "end"]  # its signals came before the step
        assert task.spec is not None
        assert (task.spec.fork_of, task.spec.fork_step, task.spec.tags, task.spec.priority) == ("t", "two", ("a",), 3)
        assert cluster.task("t").life.forks == ("f",)
        inherited, *own = [entry for entry in task.journal if entry.status == "completed"]
        assert (inherited.name, inherited.attempt, inherited.result) == ("one", 0, "one")
        assert [entry.name for entry in own] == ["two", "three"]


async def test_large_steps_come_in_commits_that_every_server_takes() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await told(cluster, size=200_000)
        await fork(dispatcher(cluster, "client/f"), "t", "three", "f")
        assert max(len(commit.record.body) for commit in cluster.commits("f")) < 512_000
        await cluster.until_status("f", "completed")
        assert cluster.named("f").count("task.forked") == 1
        await fork(dispatcher(cluster, "client/g"), "t", "three", "g")


async def chapters(stage: Stage, count: int, size: int) -> None:
    """A source with so many large steps."""

    @skill("long")
    async def long(task: Handle) -> None:
        for number in range(count):
            await task.step(f"s{number}", work, "x", size)

    await stage.run(long)


@pytest.mark.parametrize("point", ["before", "after"])
@pytest.mark.parametrize("number", range(6))
async def test_interrupted_anywhere_and_repeated_it_is_the_same_fork(stage: Stage, point: str, number: int) -> None:
    await chapters(stage, 6, 200_000)
    forking = dispatcher(stage, "client/f")
    appended = 0

    def fault(at: str, draft: Draft) -> None:
        nonlocal appended
        if at == point:
            appended += 1
            if appended == number + 1:
                raise Unavailable("killed here")

    stage.links["client/f"].fault = fault
    try:
        await fork(forking, "t", "s5", "f")
        interrupted = False
    except Unavailable:
        interrupted = True
    assert interrupted == (number < 5)
    await fork(dispatcher(stage, "client/g"), "t", "s5", "f")
    await fork(dispatcher(stage, "client/h"), "t", "s5", "f")
    names = [kept.step for event in stage.events("f") if isinstance(event, e.Forked) for kept in event.steps]
    assert names == [f"s{n}" for n in range(5)]
    assert stage.named("f").count("task.ready") == 1
    assert stage.named("t").count("task.fork_made") == 1
    assert stage.task("f").life.status == "pending"


async def test_two_at_once_make_one_fork(stage: Stage) -> None:
    await chapters(stage, 4, 200_000)
    await asyncio.gather(*(fork(dispatcher(stage, f"client/{n}"), "t", "s3", "f") for n in range(4)))
    assert stage.named("f").count("task.ready") == 1
    assert stage.task("f").life.steps_completed == 3


async def test_a_fork_of_the_first_step_begins_with_nothing(stage: Stage) -> None:
    await chapters(stage, 2, 1)
    assert (await fork(dispatcher(stage, "client/f"), "t", "s0", "f")).state.life.status == "pending"
    assert len(stage.task("f").journal) == 0


async def test_what_is_no_fork_is_refused_and_nothing_is_written(stage: Stage) -> None:
    await chapters(stage, 2, 1)
    forking, before = dispatcher(stage, "client/f"), stage.log.last_seq
    with pytest.raises(NotFound):
        await fork(forking, "nobody", "s1", "f")
    with pytest.raises(Refused, match="no step 's9'; its last steps are 's0', 's1'"):
        await fork(forking, "t", "s9", "f")
    with pytest.raises(Refused, match="task t exists with a different source"):
        await fork(forking, "t", "s1", "t")
    with pytest.raises(Refused, match="is no id"):
        await stage.client().fork("t", "s1", new_id="no id")
    assert stage.log.last_seq == before


async def test_a_blocked_task_can_be_forked_from_the_step_that_no_longer_fits(stage: Stage) -> None:
    @skill("changing")
    async def changing(task: Handle) -> int:
        size = 1 if task.id == "t" and task.attempt == 1 else 2
        result = await task.step("a", work, "a", 0) + await task.step("b", work, "b", size)
        if (task.id, task.attempt) == ("t", 1):
            raise RuntimeError("again")
        return len(result)

    await stage.run(changing)
    assert (await stage.run(changing)).life.status == "blocked"
    await fork(dispatcher(stage, "client/f"), "t", "b", "f")
    assert (await stage.run(changing, id="f")).life.result == 1 + 3
    assert [entry.name for entry in stage.task("f").journal] == ["a", "b"]


@pytest.mark.parametrize("number", range(1, 4))
async def test_a_fork_that_was_left_half_way_is_finished_by_control(stage: Stage, number: int) -> None:
    await chapters(stage, 6, 200_000)
    appended = 0

    def fault(at: str, draft: Draft) -> None:
        nonlocal appended
        appended += at == "after"
        if at == "after" and appended == number:
            raise Unavailable("killed here")

    forking = dispatcher(stage, "client/f")
    stage.links["client/f"].fault = fault
    with pytest.raises(Unavailable):
        await fork(forking, "t", "s5", "f")
    assert stage.task("f").life.waiting_for == "fork"
    await stage.control()
    task = await stage.until_status("f", "pending")
    assert [entry.name for entry in task.journal.steps()] == [f"s{n}" for n in range(5)]
    assert stage.named("t").count("task.fork_made") == 1


async def test_a_fork_whose_steps_are_nowhere_is_put_before_a_person(stage: Stage) -> None:
    await stage.tell("f", c.Submit(e.Spec(skill="story", fork_of="nobody", fork_step="s1")))
    await stage.control()
    task = await stage.until_status("f", "blocked")
    assert "no task 'nobody'" in task.life.blocked_reason
