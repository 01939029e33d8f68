"""Control processes: placing, recovering, leading, and what must not disturb them."""

import asyncio
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import pytest

from clawactors import Retry, skill
from clawactors.eventlog import Draft, EventLogError, Misconfigured, TooLarge, Unavailable
from clawactors.eventlog.leases import InProcessLeases
from clawactors.eventlog.requests import InProcessRequests
from clawactors.runtime.control.background import PAUSE_S
from clawactors.runtime.control.leadership import Leadership
from clawactors.runtime.node.context import TaskContext
from clawactors.systems.nodes import commands as nc
from clawactors.systems.nodes import events as ne
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.task import MAX_INTERRUPTIONS
from tests.clawactors.runtime.cluster import PATIENCE_S, Cluster, ManualClock, Stage, Views, all_turns
from tests.clawactors.runtime.test_node import Work


@skill("echo")
async def echo(task: TaskContext, text: str = "") -> str:
    return text


async def submit(cluster: Cluster, *ids: str, name: str = "echo", **spec: Any) -> None:
    for id in ids:
        await cluster.log.append(
            Draft(kind="task", id=id, body=e.CODEC.encode((e.Submitted(skill=name, **spec),)), commit=f"submit-{id}"), 0
        )


async def all_are(cluster: Cluster, status: str, *ids: str) -> None:
    await cluster.until(lambda: all(cluster.task(id).life.status == status for id in ids), f"{status}: {ids}")


def scheduled(cluster: Cluster, id: str) -> list[tuple[str, int]]:
    return [(event.node, event.attempt) for event in cluster.events(id) if isinstance(event, e.Scheduled)]


# Placing


async def test_what_is_submitted_is_placed_and_completed_in_three_commits(cluster: Cluster) -> None:
    await cluster.control()
    await cluster.node("n1", [echo])
    ids = [f"t{n}" for n in range(40)]
    await submit(cluster, *ids, params={"text": "hi"})
    await all_are(cluster, "completed", *ids)
    assert all(cluster.task(id).life.result == "hi" for id in ids)
    assert len(list(cluster.commits())) == 3 * len(ids)


class ForgetfulViews(Views):
    """Does not know the parameters of `lost` while `knows` is cleared; remembers when it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.knows = False
        self.asked_s: list[float] = []

    def specs_of(self, ids: Iterable[str]) -> Mapping[str, e.Spec]:
        ids = list(ids)
        if "lost" in ids:
            self.asked_s.append(asyncio.get_running_loop().time())
        return super().specs_of(id for id in ids if self.knows or id != "lost")


async def test_a_task_without_its_parameters_is_proposed_again_after_a_pause_and_others_get_their_turn(
    cluster: Cluster,
) -> None:
    views = ForgetfulViews()
    await cluster.control(views=views)
    await cluster.node("n1", [echo])
    await submit(cluster, "lost", params={"text": "late"})
    await cluster.until(lambda: len(views.asked_s) >= 3)
    await submit(cluster, "t1", params={"text": "hi"})
    await all_are(cluster, "completed", "t1")
    assert cluster.task("lost").life.status == "pending"
    assert all(after - before >= 0.9 * PAUSE_S for before, after in pairwise(views.asked_s))
    views.knows = True
    await all_are(cluster, "completed", "lost")
    assert cluster.task("lost").life.result == "late"


async def test_tasks_wait_for_a_node_with_their_skill(cluster: Cluster) -> None:
    control = await cluster.control()
    await cluster.node("n1", [])
    await submit(cluster, "t1")
    await cluster.until(lambda: control.placement.why("t1", cluster.clock.now_ns()))
    assert "'echo'" in control.placement.why("t1", cluster.clock.now_ns())[0]
    await cluster.node("n2", [echo])
    await all_are(cluster, "completed", "t1")
    assert scheduled(cluster, "t1") == [("n2", 1)]


async def test_what_is_submitted_and_placed_in_one_batch_of_the_fold_keeps_its_parameters(cluster: Cluster) -> None:
    control = await cluster.control("control/1")
    await cluster.node("n1", [echo], slots=50)
    await cluster.until(lambda: control.leadership.leading and list(control.state.nodes.live()))
    cluster.links["control/1"]._up.clear()  # it folds what comes now in one batch
    ids = [f"t{n}" for n in range(40)]
    await submit(cluster, *ids, params={"text": "hi"})
    cluster.links["control/1"]._up.set()
    await all_are(cluster, "completed", *ids)
    assert [cluster.task(id).life.result for id in ids] == ["hi"] * 40


async def test_what_was_in_the_log_before_control_started_is_placed(cluster: Cluster) -> None:
    await submit(cluster, "t1", "t2")
    await cluster.node("n1", [echo])
    await cluster.control()
    await all_are(cluster, "completed", "t1", "t2")


async def test_a_failed_attempt_is_tried_again_when_its_time_has_come_until_it_is_dead(cluster: Cluster) -> None:
    attempts: list[int] = []

    @skill("fails", retry=Retry(max_retries=2, wait_s=0.01))
    async def fails(task: TaskContext) -> None:
        attempts.append(task.attempt)
        raise RuntimeError("no")

    await cluster.control()
    await cluster.node("n1", [fails])
    await submit(cluster, "t1", name="fails")
    await all_are(cluster, "dead", "t1")
    assert attempts == [1, 2, 3]
    for commit in cluster.commits("t1"):
        for event in commit.events:
            if isinstance(event, e.AttemptFailed) and event.then == "retry":
                due_ns = event.retry_at_ns
            elif isinstance(event, e.Readied):
                assert commit.record.at_ns >= due_ns, "never early"


async def test_an_ended_task_that_is_retried_is_placed_again(cluster: Cluster) -> None:
    fine = asyncio.Event()

    @skill("moody", retry=Retry(max_retries=0))
    async def moody(task: TaskContext) -> str:
        await task.step("once", asyncio.sleep, 0)
        if not fine.is_set():
            raise RuntimeError("not yet")
        return "now"

    await cluster.control()
    await cluster.node("n1", [moody])
    await submit(cluster, "t1", name="moody")
    await all_are(cluster, "dead", "t1")
    fine.set()
    await cluster.client().command("t1", c.RetryTask("ada"))
    await all_are(cluster, "completed", "t1")
    assert cluster.named("t1").count("step.completed") == 1


async def test_orders_that_the_log_does_not_take_now_are_carried_out_later_and_once(cluster: Cluster) -> None:
    await cluster.control("control/1")
    points = iter(["before", "after"] * 4)
    fated = ""

    def fault(point: str, draft: Draft) -> None:
        nonlocal fated
        if point == "before":
            fated = next(points, "")
        if point == fated:
            raise Unavailable("away")

    cluster.links["control/1"].fault = fault
    await cluster.node("n1", [echo])
    ids = ["t1", "t2", "t3"]
    await submit(cluster, *ids)
    await all_are(cluster, "completed", *ids)
    assert [scheduled(cluster, id) for id in ids] == [[("n1", 1)]] * 3


async def test_a_log_that_refuses_for_good_is_not_asked_without_a_pause(cluster: Cluster) -> None:
    await cluster.control("control/1")
    asked: list[float] = []
    loop = asyncio.get_running_loop()

    def fault(point: str, draft: Draft) -> None:
        if point == "before" and len(asked) < 5:
            asked.append(loop.time())
            raise Misconfigured("no permission")

    cluster.links["control/1"].fault = fault
    await cluster.node("n1", [echo])
    await submit(cluster, "t1")
    await all_are(cluster, "completed", "t1")
    assert asked[-1] - asked[0] >= 4 * 0.04


async def test_a_task_that_fits_no_schedule_is_put_before_a_person_and_the_others_go_on(cluster: Cluster) -> None:
    await cluster.control("control/1")

    def fault(point: str, draft: Draft) -> None:
        if draft.id == "large" and b"task.scheduled" in draft.body:
            raise TooLarge(2_000_000, 1_000_000)

    cluster.links["control/1"].fault = fault
    await cluster.node("n1", [echo])
    await submit(cluster, "large", "t1")
    await all_are(cluster, "completed", "t1")
    task = await cluster.until_status("large", "blocked")
    assert "2000000 bytes" in task.life.blocked_reason


# Recovering


async def test_the_tasks_of_a_killed_node_go_on_elsewhere_behind_their_last_step(cluster: Cluster) -> None:
    ran: list[str] = []
    go = asyncio.Event()

    @skill("steps")
    async def steps(task: TaskContext) -> str:
        def run(name: str) -> None:
            ran.append(f"{task.id}{name}{task.attempt}")

        for name in ("a", "b", "c"):
            await task.step(name, run, name)
            if name == "b" and task.attempt == 1:
                await go.wait()
        return "done"

    control = await cluster.control()
    await cluster.node("n1", [steps])
    ids = ["t1", "t2"]
    await submit(cluster, *ids, name="steps")
    await cluster.until(lambda: all(cluster.named(id).count("step.completed") == 2 for id in ids))
    await cluster.node("n2", [steps])
    await cluster.kill("node/n1")
    control.watch.suspect("n1")  # as the server's advisory would
    await all_are(cluster, "completed", *ids)
    for id in ids:
        assert scheduled(cluster, id) == [("n1", 1), ("n2", 2)]
        assert [call for call in ran if call.startswith(id)] == [f"{id}a1", f"{id}b1", f"{id}c2"]
    [interrupted] = [event for event in cluster.events("t1") if isinstance(event, e.Interrupted)]
    assert "n1" in interrupted.reason


async def test_a_killed_node_is_missed_even_when_nobody_gives_a_hint(cluster: Cluster) -> None:
    work = Work()
    await cluster.control()
    await cluster.node("n1", [work.skill])
    await submit(cluster, "t1", name="work")
    await cluster.until_status("t1", "running")
    await cluster.kill("node/n1")
    await cluster.until_event("n1", "node.lost", "node")
    await all_are(cluster, "pending", "t1")


async def test_a_node_restarted_under_its_id_gets_its_own_tasks_back(cluster: Cluster) -> None:
    work = Work()
    await cluster.control()
    await cluster.node("n1", [work.skill])
    await submit(cluster, "t1", name="work")
    await cluster.until_status("t1", "running")
    await cluster.kill("node/n1")
    work.let_all_out()
    await cluster.node("n1", [work.skill])
    await all_are(cluster, "completed", "t1")
    assert [attempt for _, attempt in scheduled(cluster, "t1")] == [1, 2]


async def test_a_task_that_kills_its_node_again_and_again_ends_dead_and_innocent_neighbours_complete(
    cluster: Cluster,
) -> None:
    deaths = asyncio.Queue[str]()

    @skill("kill")
    async def kill(task: TaskContext) -> None:
        deaths.put_nowait(task._attempt.fence.node)
        await asyncio.Event().wait()

    @skill("slow")
    async def slow(task: TaskContext) -> str:
        """Long enough to be hit by every death around it, and without a step that would clear it."""
        for _ in range(40):
            await asyncio.sleep(0.01)
        return "well"

    skills = [kill, slow, echo]
    control = await cluster.control()
    for id in ("n1", "n2"):
        await cluster.node(id, skills, slots=3)

    async def keep_alive() -> None:
        while True:
            id = await deaths.get()
            await cluster.until_status("culprit", "running")
            await cluster.kill(f"node/{id}")
            await cluster.node(id, skills, slots=3)

    keeping = asyncio.create_task(keep_alive())
    slow_ones, quick_ones = [f"slow{n}" for n in range(6)], [f"quick{n}" for n in range(20)]
    await submit(cluster, "culprit", name="kill")
    await submit(cluster, *slow_ones, name="slow")
    await submit(cluster, *quick_ones)
    await all_are(cluster, "completed", *slow_ones, *quick_ones)
    await all_are(cluster, "dead", "culprit")
    keeping.cancel()
    culprit = cluster.task("culprit").life
    assert culprit.interruptions == MAX_INTERRUPTIONS
    assert culprit.error is not None
    assert culprit.error.kind == "interrupted"
    assert len(list(control.state.nodes.live())) == 2


async def test_a_cancelled_task_whose_node_dies_before_it_confirms_is_cancelled(cluster: Cluster) -> None:
    work = Work()
    control = await cluster.control()
    await cluster.node("n1", [work.skill])
    await submit(cluster, "t1", name="work")
    await cluster.until_status("t1", "running")
    cluster.links["node/n1"].unplug()
    await cluster.client().cancel("t1")
    await cluster.kill("node/n1")
    control.watch.suspect("n1")
    await all_are(cluster, "cancelled", "t1")


async def test_a_node_cut_off_for_a_while_is_lost_and_comes_back_and_its_late_results_are_refused(
    cluster: Cluster,
) -> None:
    work = Work()
    control = await cluster.control()
    await cluster.node("n1", [work.skill], lease_s=0.2)
    await submit(cluster, "t1", name="work")
    await cluster.until_status("t1", "running")
    await cluster.node("n2", [echo], lease_s=0.2)
    cluster.links["node/n1"].unplug()
    work.let_out("t1")
    await all_turns()
    control.watch.suspect("n1")
    await cluster.until_event("n1", "node.lost", "node")
    await cluster.until_status("t1", "pending")
    cluster.links["node/n1"].plug()
    work.let_all_out()
    await cluster.until_event("n1", "node.returned", "node")
    await all_are(cluster, "completed", "t1")
    assert cluster.task("t1").life.attempt == 2
    assert cluster.named("t1").count("task.completed") == 1


# Leading


async def test_two_that_both_believe_to_lead_do_no_harm(cluster: Cluster) -> None:
    for name in ("control/1", "control/2"):
        shared, cluster.leases = cluster.leases, InProcessLeases(cluster.clock.monotonic_s)
        control = await cluster.control(name)
        cluster.leases = shared
        await cluster.until(lambda control=control: control.leadership.leading)
    runs: list[str] = []

    @skill("count")
    async def count(task: TaskContext) -> None:
        runs.append(task.id)

    for id in ("n1", "n2"):
        await cluster.node(id, [count], slots=2)
    ids = [f"t{n}" for n in range(60)]
    await submit(cluster, *ids, name="count")
    await all_are(cluster, "completed", *ids)
    assert sorted(runs) == sorted(ids)
    assert all(len(scheduled(cluster, id)) == 1 for id in ids)


async def test_one_leads_and_another_takes_over_when_it_is_killed() -> None:
    clock = ManualClock()
    async with Cluster(clock) as cluster:
        first = await cluster.control("control/1")
        await cluster.until(lambda: first.leadership.leading)
        second = await cluster.control("control/2")
        await cluster.node("n1", [echo])
        await submit(cluster, "t1")
        await all_are(cluster, "completed", "t1")
        assert not second.leadership.leading
        await cluster.kill("control/1")
        await submit(cluster, "t2")
        clock.move(2.1)
        assert not first.leadership.leading, "its term is over by its own clock"
        await all_are(cluster, "completed", "t2")
        assert second.leadership.leading


async def test_a_leader_that_ends_in_good_order_makes_room_at_once() -> None:
    async with Cluster(ManualClock()) as cluster:
        first = await cluster.control("control/1")
        await cluster.until(lambda: first.leadership.leading)
        second = await cluster.control("control/2")
        cluster.mains["control/1"].cancel()
        await cluster.until(lambda: second.leadership.leading)


async def test_a_leader_whose_process_is_gone_is_replaced_before_its_lease_lapses() -> None:
    clock = ManualClock()
    leases, requests = InProcessLeases(clock.monotonic_s), InProcessRequests()

    def rival(name: str) -> Leadership:
        return Leadership(leases, requests, clock, name, lambda: None, lambda: None)

    first, second = rival("control/one"), rival("control/two")
    await first._renew()
    await second._renew()
    assert (first.leading, second.leading) == (True, False), "it answers"
    await first._stop_answering()  # as when its process is killed
    await second._renew()
    assert (second.leading, await leases.get("leader")) == (True, b"control/two")
    await first._renew()
    assert not first.leading, "it was there after all, and learns that another one leads"
    again = rival("control/two")  # started anew under the same name
    await again._renew()
    assert not again.leading
    await second._stop_answering()
    await again._renew()
    assert again.leading


async def test_a_leader_that_hangs_keeps_the_lead_until_its_lease_lapses(cluster: Cluster) -> None:
    class Deaf(InProcessRequests):
        async def request(self, subject: str, body: bytes, timeout_s: float) -> bytes:
            raise Unavailable("no answer")

    clock = ManualClock()
    leases = InProcessLeases(clock.monotonic_s)
    await Leadership(leases, InProcessRequests(), clock, "one", lambda: None, lambda: None)._renew()
    second = Leadership(leases, Deaf(), clock, "two", lambda: None, lambda: None)
    await second._renew()
    assert not second.leading
    clock.move(2.1)
    await second._renew()
    assert second.leading


async def test_a_leader_whose_renewal_came_late_carries_out_what_it_left_meanwhile(cluster: Cluster) -> None:
    clock = ManualClock()
    leases = InProcessLeases(clock.monotonic_s)
    woken: list[bool] = []
    leadership = Leadership(
        leases, InProcessRequests(), clock, "me", lambda: woken.append(leadership.leading), lambda: None
    )
    await leadership._renew()
    assert woken == [True]
    renew = leases._held["leader"][2].renew

    async def late(value: bytes) -> bool:
        clock.move(1.5)
        assert not leadership.leading, "whoever looks now leaves its orders"
        leases._held["leader"] = (value, clock.now_s + 2, leases._held["leader"][2])
        return await renew(value)

    clock.move(1.0)
    leases._held["leader"][2].renew = late  # type: ignore[method-assign]
    await leadership._renew()
    assert woken == [True, True]


async def test_who_asks_is_told_why_no_process_can_lead(cluster: Cluster) -> None:
    class Away(InProcessLeases):
        async def acquire(self, key: str, value: bytes, ttl_s: float, over: bytes | None = None) -> None:
            raise Unavailable("most servers are away")

    clock = ManualClock()
    leadership = Leadership(Away(clock.monotonic_s), InProcessRequests(), clock, "me", lambda: None, lambda: None)
    assert "does not lead" in leadership.why_not
    serving = asyncio.create_task(leadership.serve())
    await all_turns()
    serving.cancel()
    assert leadership.why_not.endswith("its lease is not stored: most servers are away")


# What must not disturb


async def test_views_that_are_slow_hold_up_the_fold_and_nothing_is_lost(cluster: Cluster) -> None:
    views = Views()
    control = await cluster.control("control/1", views)
    await cluster.node("n1", [echo])
    await submit(cluster, "t1")
    await all_are(cluster, "completed", "t1")
    views.gate.clear()
    ids = [f"s{n}" for n in range(20)]
    await submit(cluster, *ids)
    await all_turns()
    before = len(cluster.links["control/1"].appends)
    await cluster.client().cancel("s19")
    await all_turns()
    [cancel] = cluster.links["control/1"].appends[before:]
    assert (cancel.id, b"task.cancelled" in cancel.body) == ("s19", True), (
        "it orders nothing on a fold that stands still"
    )
    views.gate.set()
    await all_are(cluster, "completed", *ids[:-1])
    await cluster.until(lambda: len(views.commits) == cluster.log.last_seq)
    assert [commit.record.seq for commit in views.commits] == list(range(1, cluster.log.last_seq + 1))
    assert control.state.position == cluster.log.last_seq


async def test_a_leader_that_lost_races_while_its_views_are_slow_does_not_order_again_and_again(
    stage: Stage,
) -> None:
    cluster, views = stage, Views()
    await cluster.control("control/1", views)
    asked: list[str] = []
    appending, go_on = asyncio.Event(), asyncio.Event()
    link = cluster.links["control/1"]
    link.fault = lambda point, draft: asked.append(draft.id) if point == "before" else None
    link.hold = (b"task.scheduled", appending, go_on)
    await cluster.node("n1", [echo])
    await submit(cluster, "t1")
    async with asyncio.timeout(PATIENCE_S):
        await appending.wait()
    views.gate.clear()
    await submit(cluster, "t2")  # fills the gate, so that what follows is not folded
    await all_turns()
    await stage.tell("t1", c.Signal("hello"))
    link.hold = None
    go_on.set()
    await all_turns()
    assert asked.count("t1") == 1
    views.gate.set()
    await all_are(cluster, "completed", "t1", "t2")


GARBAGE = [b"", b"{", b"\xff", b"null", b'{"v":1}', b'{"v":1,"events":[]}', b'{"v":1,"events":[{"type":"task.ready"}]}']


async def test_garbage_on_every_subject_stops_nothing_and_counts_as_versions(cluster: Cluster) -> None:
    await cluster.control()
    await cluster.node("n1", [echo])
    await submit(cluster, "t0")
    await all_are(cluster, "completed", "t0")
    for body in GARBAGE:
        for subject in ("task.t0.log", "task.t1.log", "task.x", "task.a.b.c.d", "task.bad id.log", "node.ghost.log"):
            cluster.log.publish(f"claw.{subject}", body)
    for body in GARBAGE[:-1]:  # to a node, the last one is of a later release
        cluster.log.publish("claw.node.n1.log", body)
    cluster.log.publish("claw.node.ghost.log", ne.CODEC.encode((ne.NodeLost("never-joined"),)))
    cluster.log.publish("claw.task.ghost.log", e.CODEC.encode((e.Completed(1),)))
    cluster.log.publish(
        "claw.task.t0.log", e.CODEC.encode((e.Started(), e.Scheduled(node="x", incarnation="y", attempt=9, skill="z")))
    )
    client = cluster.client()
    assert await client.run("echo", {"text": "well"}, id="t1", wait_s=PATIENCE_S) == "well"
    assert cluster.task("t0").life.status == "completed"


async def test_garbage_between_order_and_answer_does_not_lose_the_task(cluster: Cluster) -> None:
    await cluster.control("control/1")
    await cluster.node("n1", [echo])
    pokes = iter(range(5))

    def fault(point: str, draft: Draft) -> None:
        if point == "before" and next(pokes, None) is not None:
            cluster.log.publish(f"claw.task.{draft.id}.log", b"in between")

    cluster.links["control/1"].fault = fault
    await submit(cluster, "t1")
    await all_are(cluster, "completed", "t1")


async def test_a_task_that_a_later_release_wrote_to_is_left_alone_and_the_others_go_on(cluster: Cluster) -> None:
    future = b'{"v":1,"events":[{"type":"task.teleported"}]}'
    await cluster.control()
    await submit(cluster, "t1", "t2")
    cluster.log.publish("claw.task.t1.log", future)
    cluster.log.publish("claw.task.unknown.log", future)
    cluster.log.publish("claw.node.unknown.log", b'{"v":7,"events":[{"type":"node.split"}]}')
    await cluster.node("n1", [echo])
    await all_are(cluster, "completed", "t2")
    assert scheduled(cluster, "t1") == []


async def test_what_a_node_writes_about_tasks_that_it_does_not_hold_freezes_nothing_and_makes_none(
    cluster: Cluster,
) -> None:
    future = b'{"v":1,"events":[{"type":"task.teleported"}]}'
    await cluster.control()
    await submit(cluster, "t1")
    cluster.log.publish("claw.task.t1.from.n2", future)
    cluster.log.publish("claw.task.t1.from.n2", e.CODEC.encode((e.CancelRequested(), e.Cancelled())))
    cluster.log.publish("claw.task.t2.from.n2", e.CODEC.encode((e.Submitted(skill="echo"),)))
    await cluster.node("n1", [echo])
    await all_are(cluster, "completed", "t1")
    assert scheduled(cluster, "t2") == []


async def test_a_node_that_a_later_release_wrote_to_does_not_end_the_watch(cluster: Cluster) -> None:
    control = await cluster.control()
    await cluster.node("n1", [echo])
    await cluster.node("n2", [echo])
    cluster.log.publish("claw.node.n1.log", b'{"v":1,"events":[{"type":"node.split"}]}')
    await cluster.kill("node/n1")
    await cluster.kill("node/n2")
    control.watch.suspect("n1")
    control.watch.suspect("n2")
    await cluster.until_event("n2", "node.lost", "node")


async def test_control_that_can_no_longer_follow_the_log_ends_instead_of_placing_blindly(cluster: Cluster) -> None:
    control = await cluster.control("control/1")
    await cluster.until(lambda: control.leadership.leading)
    for follower in list(cluster.log._followers):
        await follower.aclose()
    with pytest.raises(BaseExceptionGroup) as ended:
        await cluster.finish("control/1")
    assert ended.group_contains(EventLogError)


async def test_a_drained_nodes_tasks_go_to_the_others(stage: Stage) -> None:
    work = Work()
    await stage.control()
    await stage.node("n1", [work.skill], slots=1)
    await submit(stage, "t1", name="work")
    await stage.until_status("t1", "running")
    await stage.client().command("t1", c.Signal("x"))
    from tests.clawactors.runtime.test_node import tell_node

    await tell_node(stage, "n1", nc.DrainNode(held=True))
    await submit(stage, "t2", name="work")
    await all_turns()
    assert stage.task("t2").life.status == "pending"
    await stage.node("n2", [work.skill])
    await stage.until(lambda: scheduled(stage, "t2") == [("n2", 1)])
    work.let_all_out()
    await all_are(stage, "completed", "t1", "t2")
