"""Limits on what runs at once in a whole cluster: kept with nodes and control processes that come and go."""

import asyncio

import pytest

from clawactors import skill
from clawactors.eventlog import Draft, Unavailable
from clawactors.runtime.node.context import TaskContext
from tests.clawactors.runtime.cluster import Cluster
from tests.clawactors.runtime.test_control import all_are, submit


class Gate:
    """Counts who is inside; lets each out when it is told to."""

    def __init__(self) -> None:
        self.inside = self.most = 0
        self.let_out = asyncio.Semaphore(0)

    async def pass_through(self) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            await self.let_out.acquire()
        finally:
            self.inside -= 1


async def test_a_skill_runs_so_many_at_once_in_the_whole_cluster_and_the_next_follow_at_once(cluster: Cluster) -> None:
    gate = Gate()

    @skill("few", concurrency=2)
    async def few(task: TaskContext) -> None:
        await gate.pass_through()

    control = await cluster.control("control/a")
    await cluster.control("control/b")
    await cluster.node("n1", [few])
    await cluster.node("n2", [few])
    ids = [f"t{number}" for number in range(8)]
    for first in ids[:2]:  # into the gate in this order
        await submit(cluster, first, name="few")
        await all_are(cluster, "running", first)
    await submit(cluster, *ids[2:], name="few")
    await cluster.until(lambda: control.placement.limit_of("t2"), "t2 waits for the limit")
    for done in range(len(ids)):
        assert [cluster.task(id).life.status for id in ids[done + 2 :]] == ["pending"] * len(ids[done + 2 :])
        await all_are(cluster, "running", *ids[done : done + 2])
        gate.let_out.release()
        await cluster.until(lambda done=done: gate.inside == min(2, 7 - done), "one is out, the next one in")  # type: ignore[misc]
        await all_are(cluster, "completed", *ids[: done + 1])
    assert gate.most == 2


async def test_who_waits_or_sleeps_takes_no_place(cluster: Cluster) -> None:
    @skill("one", concurrency=1)
    async def one(task: TaskContext) -> None:
        await task.signal("go")

    await cluster.control()
    await cluster.node("n1", [one])
    await submit(cluster, "t1", "t2", "t3", name="one")
    await all_are(cluster, "waiting", "t1", "t2", "t3")
    await asyncio.gather(*(cluster.client().signal(id, "go") for id in ("t3", "t2", "t1")))
    await all_are(cluster, "completed", "t1", "t2", "t3")


@pytest.mark.parametrize("seed", range(3))
async def test_a_new_leader_knows_what_was_scheduled_before(seed: int) -> None:
    gate = Gate()

    @skill("few", concurrency=2)
    async def few(task: TaskContext) -> None:
        await gate.pass_through()

    async with Cluster(seed=seed) as cluster:
        await cluster.control("control/a")
        await cluster.node("n1", [few])
        await cluster.node("n2", [few])
        ids = [f"t{number}" for number in range(6)]
        await submit(cluster, *ids, name="few")
        await all_are(cluster, "running", "t0", "t1")
        await cluster.kill("control/a")
        heir = await cluster.control("control/b")
        await cluster.until(lambda: heir.leadership.leading and not heir.state.tasks.limits.closed, "another leads")
        await cluster.until(lambda: heir.placement.limit_of("t2"), "t2 waits for the limit")
        for _ in ids:
            gate.let_out.release()
        await all_are(cluster, "completed", *ids)
        assert gate.most == 2


async def test_an_order_whose_answer_is_lost_keeps_its_place_until_it_is_known(cluster: Cluster) -> None:
    gate = Gate()

    @skill("one", concurrency=1)
    async def one(task: TaskContext) -> None:
        await gate.pass_through()

    lost: list[str] = []

    def lose(point: str, draft: Draft) -> None:
        if b"task.scheduled" in draft.body and len(lost) < 3 and point == ("after" if len(lost) % 2 else "before"):
            lost.append(draft.id)
            raise Unavailable("the answer is lost")

    await cluster.control("control/a")
    cluster.links["control/a"].fault = lose
    await submit(cluster, *(f"t{number}" for number in range(4)), name="one")
    await cluster.node("n1", [one])
    for _ in range(4):
        gate.let_out.release()
    await all_are(cluster, "completed", *(f"t{number}" for number in range(4)))
    assert gate.most == 1
    assert len(lost) == 3
