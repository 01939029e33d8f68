"""R-S2, R-S4: the order of pending tasks, who waits at most how long, and how users share the places."""

from collections import Counter, deque
from collections.abc import Iterable
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawactors.systems.nodes import Node
from clawactors.systems.placement import ClusterState, Placement
from clawactors.systems.placement.choice import NodeCapacity
from clawactors.systems.placement.policy import OrderName, QueuePolicy
from clawactors.systems.placement.preview import preview
from clawactors.systems.placement.queues import PendingQueues
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from tests.clawactors.systems.placement.vocabulary import SECOND, joined, submitted

HOUR = 3600 * SECOND


class Cluster:
    """Placement with one node of so many slots; a place is free for each task that `place` gives away."""

    def __init__(self, policy: QueuePolicy, slots: int = 1) -> None:
        self.state = ClusterState()
        self.placement = Placement(self.state)
        self.state.tasks.follow(policy)
        node = joined(slots=slots, skills="echo sing")
        self.state.nodes.by_id["n"] = NodeCapacity("n", Node(status="online", joined=node))
        self.versions = count(1)

    def submit(self, id: str, at_ns: int = 0, *, skill: str = "echo", priority: int = 2, **options: object) -> None:
        """A task is wanted since then."""
        spec = submitted(skill, priority, **options)
        self.state.apply_task(id, next(self.versions), (spec,), at_ns)

    def place(self, now_ns: int) -> list[str]:
        """The ids of those that get the free places; they complete at once."""
        placed = [order for order in self.placement.orders(now_ns) if isinstance(order.command, c.ScheduleTask)]
        for order in placed:
            self.state.apply_task(order.id, next(self.versions), (e.CancelRequested(), e.Cancelled()), now_ns)
        return [order.id for order in placed]

    def drain(self, now_ns: int = 0) -> list[str]:
        """All, in the order in which they are placed."""
        placed: list[str] = []
        while some := self.place(now_ns):
            placed += some
        return placed


def test_fifo_is_by_age_alone() -> None:
    cluster = Cluster(QueuePolicy("fifo"))
    for id, at_ns, priority in [("b", 2, 4), ("a", 1, 1), ("c", 3, 2)]:
        cluster.submit(id, at_ns, priority=priority, skill="sing" if id == "b" else "echo")
    assert cluster.drain() == ["a", "b", "c"]


def test_the_earliest_deadline_goes_first_then_priority_then_age() -> None:
    cluster = Cluster(QueuePolicy("deadline"))
    cluster.submit("none", 1)
    cluster.submit("urgent", 2, priority=4)
    cluster.submit("late", 3, deadline_ns=9 * HOUR, priority=4)
    cluster.submit("soon", 4, deadline_ns=HOUR, priority=1)
    assert cluster.drain() == ["soon", "late", "urgent", "none"]


def test_another_order_holds_at_once_for_all_that_are_pending() -> None:
    cluster = Cluster(QueuePolicy("priority"))
    cluster.submit("old", 1, priority=1)
    cluster.submit("urgent", 2, priority=4)
    cluster.submit("due", 3, deadline_ns=HOUR)
    cluster.state.tasks.follow(QueuePolicy("deadline"))
    assert cluster.place(4) == ["due"]
    cluster.state.tasks.follow(QueuePolicy("fifo"))
    assert cluster.drain() == ["old", "urgent"]


# Patience


@pytest.mark.parametrize("order", ["priority", "deadline"])
@pytest.mark.parametrize("skill", ["echo", "sing"])
@pytest.mark.parametrize("overload", [1, 3])
def test_a_low_task_waits_at_most_the_bound_under_endless_urgent_load(
    order: OrderName, skill: str, overload: int
) -> None:
    cluster = Cluster(QueuePolicy(order, 60 * SECOND))
    for number in range(500):
        cluster.submit(f"before-{number}", priority=4, deadline_ns=99 * HOUR)
    cluster.submit("low", SECOND, priority=1, skill=skill)
    for second in range(1, 63):
        for number in range(overload):
            cluster.submit(f"urgent-{second}-{number}", second * SECOND, priority=4, deadline_ns=99 * HOUR)
        placed = cluster.place(second * SECOND)
        assert (placed == ["low"]) == (second == 61)


def test_without_patience_it_waits_for_as_long_as_there_are_urgent_ones() -> None:
    cluster = Cluster(QueuePolicy("priority", 0))
    cluster.submit("low", 0, priority=1)
    for number in range(100):
        cluster.submit(f"urgent-{number}", priority=4)
    assert cluster.drain(99 * HOUR)[-1] == "low"


def test_those_who_have_waited_too_long_leave_every_second_place_to_the_others() -> None:
    cluster = Cluster(QueuePolicy("priority", 60 * SECOND))
    for number in range(50):
        cluster.submit(f"low-{number:02}", number, priority=1)
        cluster.submit(f"urgent-{number:02}", 2 * HOUR + number, priority=4)
    placed = cluster.drain(2 * HOUR + SECOND)
    assert placed[::2] == [f"low-{number:02}" for number in range(50)]
    assert placed[1::2] == [f"urgent-{number:02}" for number in range(50)]


def test_a_signal_makes_no_task_younger() -> None:
    cluster = Cluster(QueuePolicy("priority", 60 * SECOND))
    cluster.submit("low", 0, priority=1, not_before_ns=SECOND)
    cluster.state.agenda.show(SECOND)
    cluster.state.apply_task("low", next(cluster.versions), (e.Readied(),), SECOND)
    cluster.submit("urgent", 70 * SECOND, priority=4)
    cluster.state.apply_task("low", next(cluster.versions), (e.Signalled("go"),), 59 * SECOND)
    assert cluster.place(70 * SECOND) == ["low"]


# Users


def jain(shares: Iterable[float]) -> float:
    """1 where all have the same, 1/n where one has all."""
    values = list(shares)
    return sum(values) ** 2 / (len(values) * sum(value * value for value in values))


def placed_by_user(policy: QueuePolicy, rates: dict[str, int], rounds: int) -> Counter[str]:
    """How many places each user got on ten slots, each round of which is used up, while all have something to do."""
    cluster, placed, made = Cluster(policy, slots=10), Counter[str](), Counter[str]()
    for now_ns in range(1, rounds):
        for user, rate in rates.items():
            for _ in range(rate):
                made[user] += 1
                cluster.submit(f"{user}-{made[user]}", now_ns, user=user, priority=4 if user == "u0" else 2)
        placed.update(id.partition("-")[0] for id in cluster.place(now_ns))
    return placed


@pytest.mark.parametrize("order", ["fifo", "priority", "deadline"])
def test_ten_users_who_submit_1_to_100_get_alike(order: OrderName) -> None:
    rates = {f"u{number}": 100 if number == 0 else 1 for number in range(10)}
    placed = placed_by_user(QueuePolicy(order), rates, 100)
    assert jain(placed.values()) >= 0.999
    alone = placed_by_user(QueuePolicy(order, fair=False), rates, 100)
    assert jain(alone[user] for user in rates) < 0.3


def test_what_one_leaves_the_others_get() -> None:
    placed = placed_by_user(QueuePolicy(), {"u0": 100, "u1": 2, "u2": 100}, 100)
    assert placed["u1"] == 2 * 99
    assert jain((placed["u0"], placed["u2"])) > 0.999


def test_users_share_by_their_weights() -> None:
    placed = placed_by_user(QueuePolicy(weights={"u1": 3.0, "u2": 0.5}), dict.fromkeys(("u0", "u1", "u2"), 20), 200)
    share = {user: number / placed.total() for user, number in placed.items()}
    assert share == pytest.approx({"u0": 1 / 4.5, "u1": 3 / 4.5, "u2": 0.5 / 4.5}, abs=0.01)


def test_nobody_saves_up_places_by_staying_away_or_waiting_for_what_no_node_can_do() -> None:
    cluster = Cluster(QueuePolicy())
    cluster.submit("b-rare", user="b", skill="rare")
    for number in range(200):
        cluster.submit(f"a-{number}", user="a")
    for second in range(100):
        cluster.place(second)
    for number in range(50):
        cluster.submit(f"b-{number}", user="b")
    cluster.state.nodes.by_id["n"].update(Node(status="online", joined=joined(slots=1, skills="echo rare")))
    users = [cluster.place(1)[0][0] for _ in range(20)]
    assert abs(Counter(users)["a"] - Counter(users)["b"]) <= 2


def test_who_submits_one_task_after_the_other_gets_no_more_than_who_submits_many() -> None:
    cluster = Cluster(QueuePolicy())
    for number in range(100):
        cluster.submit(f"a-{number}", user="a")
    users: deque[str] = deque()
    cluster.submit("b-0", user="b")
    for number in range(1, 50):
        users += [id[0] for id in cluster.place(number)]
        if users[-1] == "b":
            cluster.submit(f"b-{number}", number, user="b")
    assert abs(Counter(users)["a"] - Counter(users)["b"]) <= 1


def test_a_user_with_one_task_is_not_overtaken_by_others_who_come_later_for_ever() -> None:
    cluster = Cluster(QueuePolicy())
    cluster.submit("zoe", 0, user="zoe")
    for number in range(20):
        cluster.submit(f"t-{number}", number + 1, user=f"u{number}")
        if cluster.place(number + 1) == ["zoe"]:
            return
    pytest.fail("zoe waits for ever")


# Laws

TASKS = st.lists(
    st.tuples(
        st.integers(1, 4), st.integers(0, 5), st.sampled_from([0, HOUR, 2 * HOUR]), st.sampled_from(["", "a", "b"])
    ),
    max_size=30,
)
POLICIES = st.builds(
    QueuePolicy,
    st.sampled_from(["fifo", "priority", "deadline"]),
    st.sampled_from([0, 3, HOUR]),
    st.booleans(),
    st.sampled_from([{}, {"a": 2.0}]),
)
type Made = list[tuple[int, int, int, str]]


def filled(policy: QueuePolicy, made: Made, ids: Iterable[int]) -> Cluster:
    cluster = Cluster(policy)
    for number in ids:
        priority, at_ns, deadline_ns, user = made[number]
        skill = "sing" if number % 3 == 0 else "echo"
        cluster.submit(f"t{number}", at_ns, priority=priority, deadline_ns=deadline_ns, user=user, skill=skill)
    return cluster


@given(POLICIES, TASKS, st.randoms(use_true_random=False))
def test_the_order_is_total_and_follows_from_the_tasks_alone(policy: QueuePolicy, made: Made, chance: object) -> None:
    numbers = list(range(len(made)))
    one = filled(policy, made, numbers).drain(6)
    chance.shuffle(numbers)  # type: ignore[attr-defined]
    other = filled(policy, made, numbers).drain(6)
    assert sorted(one) == sorted(other) == sorted(f"t{number}" for number in numbers)
    if not policy.fair:
        assert one == other
    for user in ("", "a", "b"):
        ids = {f"t{number}" for number in numbers if made[number][3] == user}
        if not policy.patience_ns:
            assert [id for id in one if id in ids] == [id for id in other if id in ids]


@given(POLICIES, POLICIES, TASKS, st.data())
def test_what_was_kept_up_to_date_is_as_what_is_made_anew(
    before: QueuePolicy, policy: QueuePolicy, made: Made, data: st.DataObject
) -> None:
    cluster = filled(before, made, range(len(made)))
    for _ in range(data.draw(st.integers(0, 5))):
        cluster.place(6)
    for id in list(cluster.state.tasks.by_id):
        if data.draw(st.booleans()):
            cluster.state.apply_task(id, next(cluster.versions), (e.Paused(),), 6)
            if data.draw(st.booleans()):
                cluster.state.apply_task(id, next(cluster.versions), (e.Resumed(),), 6)
    cluster.state.tasks.follow(policy)
    anew = PendingQueues()
    anew.follow(policy)
    for id, held in cluster.state.tasks.by_id.items():
        if held.queued_as is not None:
            held.queued_as, since_ns = None, held.since_ns
            anew.put(id, held)
            assert held.since_ns == since_ns
    kept = cluster.state.tasks.queues
    assert {shape: set(queue) for shape, queue in kept.by_shape.items()} == {
        shape: set(queue) for shape, queue in anew.by_shape.items()
    }
    if before != policy:
        assert kept.heads(6) == anew.heads(6)


@given(TASKS)
def test_nothing_is_left_of_what_was_placed(made: Made) -> None:
    cluster = filled(QueuePolicy(), made, range(len(made)))
    cluster.drain(6)
    queues = cluster.state.tasks.queues
    assert (queues.by_shape, cluster.state.tasks.by_id) == ({}, {})


def test_memory_follows_the_users_who_have_something_pending() -> None:
    cluster = Cluster(QueuePolicy())
    for number in range(3000):
        cluster.submit(f"t{number}", user=f"u{number}")
        cluster.place(number)
    assert len(cluster.state.tasks.queues.shares) < 300


@given(POLICIES, TASKS, st.integers(1, 40), st.integers(0, 5))
def test_the_preview_is_what_is_placed(policy: QueuePolicy, made: Made, limit: int, placed: int) -> None:
    cluster = filled(policy, made, range(len(made)))
    for _ in range(placed):
        cluster.place(6)
    queues = cluster.state.tasks.queues
    foreseen = [place.id for place in preview(queues, 6, limit)]
    assert foreseen == [place.id for place in preview(queues, 6, limit)], "it changes nothing"
    assert foreseen == cluster.drain(6)[:limit]


# What goes wrong in queues elsewhere


def test_many_urgent_tasks_that_have_to_wait_for_others_hold_up_nobody() -> None:
    cluster = Cluster(QueuePolicy(), slots=3)
    for number in range(3000):
        cluster.submit(f"full-{number}", priority=4, skill="rare", user="a")
    cluster.submit("low", priority=1, user="a")
    assert [order.id for order in cluster.placement.orders(1, limit=1)] == ["low"]


def test_a_task_that_is_tried_again_keeps_its_priority_and_its_age() -> None:
    cluster = Cluster(QueuePolicy())
    cluster.submit("again", 1, priority=3)
    (order,) = cluster.placement.orders(2)
    scheduled = e.Scheduled(node="n", incarnation="i1", attempt=1, skill="echo")
    failed = e.AttemptFailed(error=e.TaskError("network", "no route"), then="retry")
    for number in range(3):
        cluster.submit(f"later-{number}", 3 + number, priority=3)
        cluster.submit(f"normal-{number}", 0, priority=2)
    cluster.state.apply_task(order.id, next(cluster.versions), (scheduled, e.Started(), failed), 9)
    cluster.state.apply_task(order.id, next(cluster.versions), (e.Readied(),), 9)
    assert cluster.drain(10)[:3] == ["again", "later-0", "later-1"]


def test_what_comes_later_and_is_more_urgent_goes_first_while_others_are_placed() -> None:
    cluster = Cluster(QueuePolicy())
    for number in range(5):
        cluster.submit(f"t-{number}", number, priority=2)
    assert cluster.place(9) == ["t-0"]
    cluster.submit("urgent", 9, priority=4)
    assert cluster.drain(9) == ["urgent", "t-1", "t-2", "t-3", "t-4"]


def test_who_is_taken_back_stands_where_it_stood() -> None:
    cluster = Cluster(QueuePolicy())
    for number in range(4):
        cluster.submit(f"t-{number}", number)
    for _ in range(3):
        (order,) = cluster.placement.orders(9)
        assert order.id == "t-0"
        cluster.placement.withdraw(order)
    assert cluster.drain(9) == ["t-0", "t-1", "t-2", "t-3"]


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_turns_go_on_from_pass_to_pass_however_few_each_places(limit: int) -> None:
    cluster = Cluster(QueuePolicy(), slots=60)
    for number in range(60):
        cluster.submit(f"{'abc'[number % 3]}-{number // 3:02}", 0, user="abc"[number % 3])
    placed: list[str] = []
    while some := cluster.placement.orders(1, limit=limit):
        placed += [order.id for order in some]
    assert all({id[0] for id in placed[at : at + 3]} == {"a", "b", "c"} for at in range(0, 60, 3))
