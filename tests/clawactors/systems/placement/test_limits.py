"""No more tasks of a skill at once than its limit says, in whatever happens; and who waits for that is told so."""

import pytest

from clawactors.systems.nodes import events as n
from clawactors.systems.placement import ClusterState
from clawactors.systems.tasks import TASK
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from tests.clawactors.systems.placement.test_placement import Log
from tests.clawactors.systems.placement.test_simulation import all_is_over
from tests.clawactors.systems.placement.vocabulary import submitted
from tests.clawactors.systems.placement.world import Control, Store, World

LIMITS = {"echo": 1, "sing": 2}


def limited(incarnation: str = "i1", slots: int = 9, skill: str = "echo", limit: int | None = 2) -> n.NodeJoined:
    return n.NodeJoined(
        incarnation=incarnation, slots=slots, offers=(n.Offer(skill, concurrency=limit), n.Offer("sing"))
    )


def place(log: Log) -> list[str]:
    """What is given away now."""
    orders = [order for order in log.orders() if isinstance(order.command, c.ScheduleTask)]
    log.carry_out(orders)
    return [order.id for order in orders]


# Rules 1 and 2


def test_rule_2_no_more_than_the_limit_begin_and_the_others_hold_up_nobody() -> None:
    log = Log()
    log.node("n1", limited())
    for number in range(4):
        log.task(f"e{number}", submitted())
    log.task("s1", submitted("sing"))
    assert place(log) == ["e0", "e1", "s1"]
    assert place(log) == []


def test_rule_2_a_place_is_the_next_ones_when_its_task_ends_or_waits() -> None:
    log = Log()
    log.node("n1", limited())
    for number in range(5):
        log.task(f"e{number}", submitted(priority=4 if number == 4 else 2))
    assert place(log) == ["e4", "e0"]
    log.task("e4", e.Started(), e.Completed())
    assert place(log) == ["e1"]
    log.task("e0", e.Started(), e.Waiting("timer", log.now_ns + 10**18))
    assert place(log) == ["e2"]
    log.task("e1", e.Started(), e.AttemptFailed(error=e.TaskError("network", "no"), then="dead"))
    assert place(log) == ["e3"]


def test_rule_2_an_order_that_came_to_nothing_gives_its_place_back() -> None:
    log = Log()
    log.node("n1", limited(limit=1))
    log.task("e1", submitted())
    [order] = log.orders()
    assert log.placement.is_limited(order)
    log.task("e2", submitted(priority=4))
    assert log.orders() == []
    log.placement.withdraw(order)
    assert place(log) == ["e2"]


def test_rule_1_the_smallest_limit_of_living_nodes_counts() -> None:
    log = Log()
    log.node("n1", limited("i1", limit=1))
    log.node("n2", limited("i2", limit=3))
    log.node("n3", limited("i3", limit=None))
    for number in range(5):
        log.task(f"e{number}", submitted())
    assert len(place(log)) == 1
    log.node("n1", n.NodeLeft("i1"))
    log.carry_out(log.orders())  # what it had goes on elsewhere
    place(log)
    assert len([task for task in log.tasks.values() if task.life.status == "scheduled"]) == 3


def test_rule_1_a_limit_that_comes_later_counts_what_runs_already() -> None:
    log = Log()
    log.node("n1", limited(limit=None))
    for number in range(5):
        log.task(f"e{number}", submitted())
    log.carry_out(log.orders(limit=3))
    log.node("n2", limited("i2", limit=3))
    assert place(log) == []
    log.task("e0", e.Started(), e.Completed())
    assert place(log) == ["e3"]


def test_rule_3_nothing_begins_under_a_limit_that_is_closed() -> None:
    log = Log()
    log.node("n1", limited())
    log.task("e1", submitted())
    log.task("s1", submitted("sing"))
    log.placement.state.tasks.limits.closed = True
    assert place(log) == ["s1"]
    log.placement.state.tasks.limits.closed = False
    assert place(log) == ["e1"]


# Why


def test_who_waits_for_a_limit_is_told_so() -> None:
    log = Log()
    log.node("n1", limited())
    for number in range(3):
        log.task(f"e{number}", submitted())
    place(log)
    assert log.placement.why("e2", log.now_ns) == ['limit: skill "echo" runs 2 of at most 2 at once']
    limit = log.placement.limit_of("e2")
    assert limit is not None
    assert limit.facts == {"for": "limit", "skill": "echo", "running": 2, "limit": 2}
    assert log.placement.limit_of("e0") is None
    assert log.placement.limit_of("nobody") is None


def test_whoever_has_no_limit_has_none() -> None:
    limits = ClusterState().tasks.limits
    assert not limits.by_skill
    assert limits.of("echo") is None
    assert not limits.forbid("echo")


# Whatever happens


class CountingStore(Store):
    """Sees to it that no commit brings more tasks under way than the limit says."""

    most = 0

    def append_task(self, id: str, events: tuple[e.TaskEvent, ...]) -> None:
        super().append_task(id, events)
        if not any(isinstance(event, e.Scheduled) for event in events):
            return
        for skill, limit in LIMITS.items():
            under_way = [
                task
                for task in self.tasks.values()
                if task.spec is not None and task.spec.skill == skill and task.life.status in ("scheduled", "running")
            ]
            self.most = max(self.most, len(under_way))
            assert len(under_way) <= limit, f"{len(under_way)} tasks of {skill} after {id}"


class LedWorld(World):
    """One control process leads at a time; the lead goes over when it dies, and when the other one gets it."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, LIMITS)
        self.store = CountingStore()
        self.controls = [Control(self.store, self.chance) for _ in range(2)]
        self.lead = self.controls[0]
        self.known_at = 0

    def leader(self) -> Control:
        if self.lead not in self.controls or self.chance.random() < 0.1:
            for order in self.lead.in_flight:
                self.lead.placement.withdraw(order)
            self.lead.in_flight.clear()
            self.lead = self.chance.choice(self.controls)
            self.lead.placement.state.tasks.limits.closed = True
            self.known_at = len(self.store.commits)
        if self.lead.position >= self.known_at:
            self.lead.placement.state.tasks.limits.closed = False
        return self.lead


@pytest.mark.parametrize("seed", range(40))
def test_never_more_than_the_limit_are_under_way_and_all_come_to_an_end(seed: int) -> None:
    world = LedWorld(seed)
    for _ in range(400):
        world.step()
    for control in world.controls:
        control.placement.state.tasks.limits.closed = False
    for control in world.controls:
        control.in_flight.clear()
    world.controls = [Control(world.store, world.chance)]
    world.settle()
    all_is_over(world)
    assert all(TASK.is_final(task) for task in world.store.tasks.values())
    for control in world.controls:
        limit = control.placement.state.tasks.limits.of("echo")
        assert limit is None or not limit.under_way
