"""A node: what it takes, in which order, how it stops, and what it does when it was believed dead."""

import asyncio
import itertools
import threading
import time
from typing import Any

import msgspec
import pytest

from clawactors import skill
from clawactors.eventlog import Draft, Unavailable
from clawactors.kernel.errors import Refused
from clawactors.runtime.actor import Actor
from clawactors.runtime.context import ActorContext
from clawactors.runtime.node.context import TaskContext
from clawactors.runtime.node.node import NodeActor
from clawactors.runtime.node.synccontext import SyncTaskContext
from clawactors.systems.nodes import commands as nc
from clawactors.systems.nodes import events as ne
from clawactors.systems.nodes.kind import NODES
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from tests.clawactors.runtime.cluster import PATIENCE_S, Cluster, Stage, all_turns


class Work:
    """A skill that counts who is inside and lets them out when told."""

    def __init__(self) -> None:
        self.inside: list[str] = []
        self.most = 0
        self.came: list[str] = []
        self.out: dict[str, asyncio.Event] = {}
        self.all_out = asyncio.Event()

        @skill("work")
        async def work(task: TaskContext) -> str:
            self.inside.append(task.id)
            self.came.append(task.id)
            self.most = max(self.most, len(self.inside))
            try:
                if not self.all_out.is_set():
                    await self.out.setdefault(task.id, asyncio.Event()).wait()
            finally:
                self.inside.remove(task.id)
            return task.id

        self.skill = work

    def let_out(self, id: str) -> None:
        self.out.setdefault(id, asyncio.Event()).set()

    def let_all_out(self) -> None:
        self.all_out.set()
        for event in self.out.values():
            event.set()


async def give(stage: Stage, node: NodeActor, *ids: str, name: str = "work", **spec: Any) -> None:
    """Schedules tasks on the node, as a leader would."""
    for id in ids:
        if not stage.task(id).exists:
            await stage.tell(id, c.Submit(e.Spec(skill=name, **spec)))
        await stage.tell_to(node.id, id, c.ScheduleTask(node.id, node.incarnation))


async def tell_node(stage: Stage, id: str, *commands: nc.NodeCommand) -> None:

    actor = Actor(ActorContext(stage.log, stage.clock, "test/else"), NODES, id)
    await actor.catch_up()
    for command in commands:
        await actor.handle(command)


async def inside(stage: Stage, work: Work, *ids: str) -> None:
    await stage.until(lambda: set(work.inside) == set(ids), f"inside: {ids}, not {work.inside}")


def statuses(stage: Stage, *ids: str) -> list[str]:
    return [stage.task(id).life.status for id in ids]


async def test_a_node_runs_no_more_than_its_slots_and_keeps_the_others_in_order(stage: Stage) -> None:
    work = Work()
    node = await stage.node("n1", [work.skill], slots=2)
    ids = [f"t{n}" for n in range(8)]
    await give(stage, node, *ids)
    await stage.until(lambda: statuses(stage, *ids).count("running") == 2)
    assert work.inside == ["t0", "t1"]
    assert statuses(stage, *ids[2:]) == ["scheduled"] * 6
    work.let_out("t1")
    await inside(stage, work, "t0", "t2")
    work.let_all_out()
    await stage.until(lambda: statuses(stage, *ids) == ["completed"] * 8)
    assert (work.came, work.most) == (ids, 2)


async def test_fewer_slots_hold_for_what_starts_from_then_on(stage: Stage) -> None:
    work = Work()
    node = await stage.node("n1", [work.skill], slots=3)
    ids = [f"t{n}" for n in range(6)]
    await give(stage, node, *ids)
    await inside(stage, work, "t0", "t1", "t2")
    await tell_node(stage, "n1", nc.ConfigureNode(slots=1))
    await stage.until(lambda: node.slots == 1)
    work.let_out("t0")
    work.let_out("t1")
    await stage.until(lambda: statuses(stage, *ids).count("completed") == 2)
    await all_turns()
    assert work.inside == ["t2"]
    work.let_out("t2")
    await inside(stage, work, "t3")
    await tell_node(stage, "n1", nc.ConfigureNode(slots=3))
    await inside(stage, work, "t3", "t4", "t5")
    await tell_node(stage, "n1", nc.ConfigureNode(slots=0))
    work.let_all_out()
    await stage.until(lambda: statuses(stage, *ids) == ["completed"] * 6)
    await give(stage, node, "t9")
    await all_turns()
    assert statuses(stage, "t9") == ["scheduled"]


async def test_what_is_addressed_to_another_incarnation_is_ignored(stage: Stage) -> None:
    work = Work()
    node = await stage.node("n1", [work.skill])
    await stage.tell("t0", c.Submit(e.Spec(skill="work")))
    await stage.tell_to("n1", "t0", c.ScheduleTask("n1", "an-older-one"))
    await give(stage, node, "t1")
    await inside(stage, work, "t1")
    assert statuses(stage, "t0") == ["scheduled"]


async def test_a_drained_node_hands_back_its_queue_finishes_what_runs_and_takes_nothing_new(stage: Stage) -> None:
    work = Work()
    node = await stage.node("n1", [work.skill], slots=1)
    await give(stage, node, "t0", "t1", "t2")
    await inside(stage, work, "t0")
    await tell_node(stage, "n1", nc.DrainNode(held=True))
    await stage.until(lambda: statuses(stage, "t1", "t2") == ["pending"] * 2)
    await give(stage, node, "t3")
    await stage.until_status("t3", "pending")
    work.let_all_out()
    await stage.until_status("t0", "completed")
    assert work.came == ["t0"]
    await tell_node(stage, "n1", nc.UncordonNode())
    await stage.until(lambda: node._slots.is_open)
    await give(stage, node, "t4")
    await stage.until_status("t4", "completed")


async def test_a_queue_that_could_not_be_handed_back_at_once_is_handed_back_later(stage: Stage) -> None:
    work = Work()
    node = await stage.node("n1", [work.skill], slots=1, lease_s=0.1)
    await give(stage, node, "t0", "t1")
    await inside(stage, work, "t0")
    failures = iter(range(3))

    def fault(point: str, draft: Draft) -> None:
        if b"task.returned" in draft.body and next(failures, None) is not None:
            raise Unavailable("away")

    stage.links["node/n1"].fault = fault
    await tell_node(stage, "n1", nc.DrainNode(held=True))
    await stage.until_status("t1", "pending")
    work.let_all_out()


async def test_a_stopped_node_hands_everything_back_and_leaves(stage: Stage) -> None:
    reached = asyncio.Event()

    @skill("steps")
    async def steps(task: TaskContext) -> None:
        for n in itertools.count():
            await task.step(f"s{n}", asyncio.sleep, 0)
            reached.set()

    work = Work()
    node = await stage.node("n1", [work.skill, steps], slots=2, grace_s=0.1)
    await give(stage, node, "stuck", "queued")
    await give(stage, node, "steps", name="steps")
    await stage.tell("queued", c.Pause(), c.Resume())
    await give(stage, node, "t0")
    await inside(stage, work, "stuck")
    await stage.until_event("steps", "step.completed")
    node.stop()
    await stage.finish("node/n1")
    assert statuses(stage, "stuck", "steps", "t0") == ["pending"] * 3
    assert stage.task("stuck").life.interruptions == 0, "nobody is to blame"
    assert stage.node_state("n1").left
    assert stage.named("n1", "node") == ["node.joined", "node.drained", "node.left"]
    assert stage.task("steps").life.steps_completed > 0


async def test_a_task_that_completes_while_its_node_stops_is_completed(stage: Stage) -> None:
    work = Work()
    node = await stage.node("n1", [work.skill])
    await give(stage, node, "t0")
    await inside(stage, work, "t0")
    node.stop()
    await stage.until_event("n1", "node.drained", "node")
    work.let_all_out()
    await stage.finish("node/n1")
    assert statuses(stage, "t0") == ["completed"]


async def test_a_thread_that_hangs_holds_up_neither_the_others_nor_the_end_of_the_node(stage: Stage) -> None:
    hang = threading.Event()

    @skill("hang")
    def hangs(task: SyncTaskContext) -> None:
        hang.wait(PATIENCE_S)

    work = Work()
    work.let_all_out()
    node = await stage.node("n1", [hangs, work.skill], slots=2, grace_s=0.05)
    await give(stage, node, "stuck", name="hang")
    await give(stage, node, *(f"t{n}" for n in range(5)))
    await stage.until(lambda: statuses(stage, *(f"t{n}" for n in range(5))) == ["completed"] * 5)
    node.stop()
    await stage.finish("node/n1")
    assert statuses(stage, "stuck") == ["pending"]
    assert stage.node_state("n1").left
    hang.set()


async def test_a_node_that_nobody_can_reach_any_more_stops_all_the_same(stage: Stage) -> None:
    work = Work()
    node = await stage.node("n1", [work.skill], slots=1, grace_s=0.05, lease_s=0.1)
    await give(stage, node, "t0", "t1")
    await stage.until_status("t0", "running")
    stage.links["node/n1"].unplug()
    node.stop()
    await stage.finish("node/n1")
    assert work.inside == []
    assert statuses(stage, "t0", "t1") == ["running", "scheduled"], "to be recovered by others"


async def test_a_second_node_with_an_id_in_use_is_refused_and_leaves_no_trace(stage: Stage) -> None:
    work = Work()
    work.let_all_out()
    node = await stage.node("n1", [work.skill])
    with pytest.raises(Refused, match="alive"):
        await stage.node("n1", [work.skill], as_process="node/second")
    assert stage.named("n1", "node") == ["node.joined"]
    assert len(stage.log._followers) == 3, "those of the first"
    await give(stage, node, "t0")
    await stage.until_status("t0", "completed")


async def test_a_predecessor_that_hangs_is_waited_for_a_lease_time_and_then_succeeded(stage: Stage) -> None:
    async def hangs(_: bytes) -> bytes:
        await asyncio.Event().wait()
        raise AssertionError

    await stage.requests.serve("claw.live.n1", hangs)
    node = await stage.node("n1", [], lease_s=0.1)
    assert stage.node_state("n1").incarnation == node.incarnation


async def test_a_node_whose_join_fails_lets_go_of_everything(stage: Stage) -> None:
    def fault(point: str, draft: Draft) -> None:
        raise Unavailable("away")

    stage.fault = fault
    with pytest.raises(Unavailable):
        await stage.node("n1", [])
    assert stage.log._followers == []
    assert stage.leases._held == {}
    stage.fault = None
    await stage.node("n1", [])


async def test_a_killed_node_starts_again_under_its_id_as_a_new_incarnation(stage: Stage) -> None:
    work = Work()
    first = await stage.node("n1", [work.skill])
    await give(stage, first, "t0")
    await stage.kill("node/n1")
    second = await stage.node("n1", [work.skill])
    assert second.incarnation != first.incarnation
    assert stage.node_state("n1").incarnation == second.incarnation
    await give(stage, second, "t1")
    await inside(stage, work, "t1")


async def test_an_incarnation_that_was_superseded_stops_its_work_and_ends(stage: Stage) -> None:
    work = Work()
    old = await stage.node("n1", [work.skill], slots=1)
    await give(stage, old, "t0", "t1")
    await stage.until_status("t0", "running")
    await tell_node(stage, "n1", nc.JoinNode(ne.NodeJoined(incarnation="newer")))
    before = stage.log.last_seq
    await stage.finish("node/n1")
    await stage.until(lambda: work.inside == [])
    assert stage.log.last_seq == before, "its tasks are another's business now"


async def test_a_superseded_incarnation_finds_out_even_when_it_learns_it_while_it_appends(stage: Stage) -> None:
    """Its own append loses the race against the newer one's join, and reads the join before the follower brings it."""
    node = await stage.node("n1", [], lease_s=0.1)
    appending, go_on = asyncio.Event(), asyncio.Event()
    stage.links["node/n1"].hold = (b"node.returned", appending, go_on)
    await tell_node(stage, "n1", nc.LoseNode(node.incarnation, "silent"))
    async with asyncio.timeout(PATIENCE_S):
        await appending.wait()
    stage.links["node/n1"].hold = None
    go_on.set()
    await tell_node(stage, "n1", nc.JoinNode(ne.NodeJoined(incarnation="newer")))
    await stage.finish("node/n1")
    assert stage.node_state("n1").incarnation == "newer"


async def test_a_node_that_was_believed_dead_gives_up_what_it_has_and_comes_back(stage: Stage) -> None:
    work = Work()
    node = await stage.node("n1", [work.skill], slots=1)
    await give(stage, node, "t0", "t1")
    await inside(stage, work, "t0")
    await stage.until_status("t0", "running")
    await tell_node(stage, "n1", nc.LoseNode(node.incarnation, "silent"))
    await stage.until_event("n1", "node.returned", "node")
    await stage.until(lambda: statuses(stage, "t0", "t1") == ["pending"] * 2)
    assert stage.node_state("n1").status == "online"
    assert stage.task("t0").life.interruptions == 0
    await stage.until(lambda: work.inside == [])
    await give(stage, node, "t1", "t0")
    work.let_all_out()
    await stage.until(lambda: statuses(stage, "t0", "t1") == ["completed"] * 2)
    assert work.came == ["t0", "t1", "t0"]


async def test_a_drained_node_that_was_believed_dead_takes_work_again_when_the_log_says_online(stage: Stage) -> None:
    work = Work()
    work.let_all_out()
    node = await stage.node("n1", [work.skill])
    await tell_node(stage, "n1", nc.DrainNode(held=True))
    await stage.until(lambda: not node._slots.is_open)
    await tell_node(stage, "n1", nc.LoseNode(node.incarnation, "silent"))
    await stage.until_event("n1", "node.returned", "node")
    takes_work = stage.node_state("n1").takes_work
    await give(stage, node, "t0")
    await stage.until_status("t0", "completed" if takes_work else "pending")


async def test_garbage_on_everything_that_a_node_reads_disturbs_nothing(stage: Stage) -> None:
    work = Work()
    node = await stage.node("n1", [work.skill], slots=1)
    await give(stage, node, "t0", "t1")
    await inside(stage, work, "t0")
    garbage = [b"", b"{", b"\xff\xfe", b"null", b"[]", b'{"v":1,"events":[]}', b'{"v":99,"events":[{"type":"x"}]}']
    for body in garbage:
        for subject in ("task.new.to.n1", "task.x.y.to.n1", "task.bad$id.to.n1", "task.new.log", "odd.n1.log"):
            stage.log.publish(f"claw.{subject}", body)
    for body in garbage[:-1]:  # the last one is of a later release, which would freeze them
        for subject in ("task.t0.to.n1", "task.t1.to.n1", "node.n1.log", "node.n1.to.n1", "node.n1.log.more"):
            stage.log.publish(f"claw.{subject}", body)
    work.let_all_out()
    await stage.until(lambda: statuses(stage, "t0", "t1") == ["completed"] * 2)
    await give(stage, node, "t2")
    await stage.until_status("t2", "completed")
    node.stop()
    await stage.finish("node/n1")
    assert stage.node_state("n1").left


async def test_an_event_that_is_illegal_where_it_stands_takes_no_task_from_its_node(stage: Stage) -> None:
    """Well-formed events published by hand: the node asks the task's own log before it believes them."""
    work = Work()
    node = await stage.node("n1", [work.skill], slots=1)
    await give(stage, node, "t0", "t1")
    await inside(stage, work, "t0")

    def by_hand(id: str, event: e.TaskEvent) -> None:
        stage.log.publish(f"claw.task.{id}.to.n1", e.CODEC.encode((event,)))

    for id in ("t0", "t1"):
        by_hand(id, e.Cancelled())
        by_hand(id, e.Scheduled(node="n1", incarnation=node.incarnation, attempt=7, skill="work"))
        by_hand(id, e.Resumed())
    by_hand("nobodys", e.Scheduled(node="n1", incarnation=node.incarnation, attempt=1, skill="work"))
    work.let_all_out()
    await stage.until(lambda: statuses(stage, "t0", "t1") == ["completed"] * 2)
    assert work.came == ["t0", "t1"], "what nobody submitted never ran"


async def test_a_queued_task_that_is_cancelled_or_paused_does_not_run(stage: Stage) -> None:
    work = Work()
    node = await stage.node("n1", [work.skill], slots=1)
    await give(stage, node, "t0", "gone", "held", "t3")
    await inside(stage, work, "t0")
    await stage.tell_to("n1", "gone", c.Cancel())
    await stage.tell_to("n1", "held", c.Pause())
    work.let_all_out()
    await stage.until_status("t3", "completed")
    assert statuses(stage, "gone", "held") == ["cancelled", "paused"]
    assert work.came == ["t0", "t3"]


async def test_a_running_task_hears_of_its_cancel_by_its_node(stage: Stage) -> None:
    work = Work()
    node = await stage.node("n1", [work.skill])
    await give(stage, node, "t0")
    await inside(stage, work, "t0")
    await stage.until_status("t0", "running")
    await stage.tell_to("n1", "t0", c.Cancel("ada"))
    await stage.until_status("t0", "cancelled")


async def test_a_task_given_again_to_the_node_that_still_runs_it_waits_for_the_old_run_to_end(stage: Stage) -> None:
    work = Work()
    node = await stage.node("n1", [work.skill], slots=2)
    await give(stage, node, "t0")
    await inside(stage, work, "t0")
    await stage.until_status("t0", "running")
    await stage.interrupt("t0")
    await give(stage, node, "t0")
    await stage.until(lambda: work.came == ["t0", "t0"])
    assert work.most == 1, "never two runs of one task at a time"
    work.let_all_out()
    await stage.until_status("t0", "completed")
    assert stage.task("t0").life.attempt == 2


async def test_what_a_run_can_not_record_is_handed_back_instead_of_left_running(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work()
    node = await stage.node("n1", [work.skill])
    broken = iter([True])
    encode = e.CODEC.encode

    def fails_once(events: tuple[e.TaskEvent, ...]) -> bytes:
        if any(isinstance(event, e.Completed) for event in events) and next(broken, False):
            raise RuntimeError("a bug")
        return encode(events)

    monkeypatch.setattr(e.CODEC, "encode", fails_once)
    await give(stage, node, "t0")
    work.let_all_out()
    await stage.until_status("t0", "pending")
    assert stage.task("t0").life.interruptions == 1


async def test_the_heartbeat_tells_the_figures_and_goes_on_after_an_outage(stage: Stage) -> None:
    from clawactors.runtime.node.machine import Figures

    work = Work()
    node = await stage.node("n1", [work.skill], slots=1, lease_s=0.05)
    await give(stage, node, "t0", "t1")
    beats = stage.leases.watch("node.n1")

    async def beat_with(**wanted: Any) -> Figures:
        async with asyncio.timeout(PATIENCE_S):
            async for _, value in beats:
                if value is not None:
                    figures = msgspec.json.decode(value, type=Figures)
                    if all(getattr(figures, name) == was for name, was in wanted.items()):
                        return figures
        raise AssertionError

    figures = await beat_with(running=1, queued=1)
    assert figures.incarnation == node.incarnation
    assert 0 < figures.memory <= 100
    stage.links["node/n1"].unplug()
    await all_turns()
    stage.links["node/n1"].plug()
    work.let_all_out()
    await beat_with(running=0, queued=0)


async def test_a_record_about_the_node_itself_that_comes_while_the_log_is_away_does_not_end_it(stage: Stage) -> None:
    work = Work()
    work.let_all_out()
    node = await stage.node("n1", [work.skill], lease_s=0.1)
    stage.links["node/n1"].unplug()
    stage.log.publish("claw.node.n1.log", b"by hand, so the node has to read what it missed")
    await tell_node(stage, "n1", nc.ConfigureNode(slots=2))
    await all_turns()
    assert node.slots == 5
    stage.links["node/n1"].plug()
    await stage.until(lambda: node.slots == 2)
    await give(stage, node, "t0")
    await stage.until_status("t0", "completed")


async def test_of_tasks_that_have_seen_nodes_die_only_one_runs_at_a_time(stage: Stage) -> None:
    work = Work()
    node = await stage.node("n1", [work.skill], slots=5)
    ids = [f"t{n}" for n in range(3)]
    for id in ids:
        await stage.tell(id, c.Submit(e.Spec(skill="work")))
        for _ in range(2):
            await stage.tell(id, c.ScheduleTask("n0", "gone"))
            await stage.interrupt(id)
    assert [stage.task(id).life.interruptions for id in ids] == [1, 1, 1], (
        "only scheduled, so the second time is no blame"
    )
    for id in ids:
        fence = (await stage.tell(id, c.ScheduleTask("n0", "gone"))).fence
        await stage.tell(id, c.StartTask(fence))
        await stage.interrupt(id)
    await give(stage, node, *ids, "fresh")
    await inside(stage, work, "t0", "fresh")
    await all_turns()
    assert statuses(stage, *ids) == ["running", "scheduled", "scheduled"]
    work.let_out("t0")
    await inside(stage, work, "t1", "fresh")
    work.let_all_out()
    await stage.until(lambda: statuses(stage, *ids, "fresh") == ["completed"] * 4)


async def test_a_suspect_that_got_further_makes_room_for_the_next(stage: Stage) -> None:
    step, end = asyncio.Event(), asyncio.Event()
    inside_now: list[str] = []

    @skill("steps")
    async def steps(task: TaskContext) -> None:
        inside_now.append(task.id)
        await step.wait()
        await task.step("one", asyncio.sleep, 0)
        await end.wait()

    node = await stage.node("n1", [steps], slots=5)
    for id in ("t0", "t1"):
        await stage.tell(id, c.Submit(e.Spec(skill="steps")))
        for _ in range(2):
            fence = (await stage.tell(id, c.ScheduleTask("n0", "gone"))).fence
            await stage.tell(id, c.StartTask(fence))
            await stage.interrupt(id)
    await give(stage, node, "t0", "t1")
    await stage.until_status("t0", "running")
    await all_turns()
    assert inside_now == ["t0"]
    step.set()
    await stage.until(lambda: statuses(stage, "t0", "t1") == ["running"] * 2)
    end.set()
    await stage.until(lambda: statuses(stage, "t0", "t1") == ["completed"] * 2)


async def test_a_node_in_a_cluster_serves_requests_about_its_life(cluster: Cluster) -> None:
    node = await cluster.node("n1", [])
    assert await cluster.requests.request("claw.live.n1", b"anything", 1) == node.incarnation.encode()


async def test_what_code_returns_because_its_node_stops_is_no_result(stage: Stage) -> None:
    go = threading.Event()

    @skill("swallows")
    async def swallows(task: TaskContext) -> str:
        try:
            await asyncio.sleep(PATIENCE_S)
        except asyncio.CancelledError:
            return "half"
        return "whole"

    @skill("looks")
    def looks(task: SyncTaskContext) -> str:
        go.set()
        while not task.cancelled:
            time.sleep(0.01)
        return "half"

    node = await stage.node("n1", [swallows, looks], slots=2, grace_s=0.05)
    await give(stage, node, "swallows", name="swallows")
    await give(stage, node, "looks", name="looks")
    await stage.until(lambda: go.is_set() and statuses(stage, "swallows") == ["running"])
    node.stop()
    await stage.finish("node/n1")
    assert statuses(stage, "swallows", "looks") == ["pending"] * 2
    assert stage.task("looks").life.interruptions == 0
