"""A task that comes after others: what it waits for, what it may be told, and what can't come after what."""

import random
import time

import pytest

from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.dependencies import arranged
from tests.clawactors.systems.tasks.vocabulary import given, scheduled
from tests.spec import SECOND

AFTER = e.Submitted(skill="echo", after=("a", "b"))
BLOCKED = e.Blocked("its predecessor a is dead", "dependency")
GONE = e.TaskError("dependency", "its predecessor a is dead")


def test_a_task_waits_for_its_predecessors_and_goes_on_once() -> None:
    task = given(AFTER).when(c.Ready()).then(e.Readied())
    assert (task.life.status, task.life.waiting_for) == ("pending", None)
    given(AFTER, e.Readied()).when(c.Ready()).quietly()


def test_after_its_predecessors_it_still_waits_for_its_start() -> None:
    life = given(e.Submitted(skill="echo", after=("a",), not_before_ns=60 * SECOND), e.Readied()).state.life
    assert (life.status, life.waiting_for, life.until_ns) == ("waiting", "timer", 60 * SECOND)


def test_a_task_that_is_blocked_for_the_sake_of_others_still_waits_for_them() -> None:
    life = given(AFTER).when(c.Block("its predecessor a is dead", waits_for="dependency")).then(BLOCKED).life
    assert (life.status, life.waiting_for, life.blocked_reason) == ("blocked", "dependency", BLOCKED.reason)
    life = given(AFTER, BLOCKED).when(c.Await()).then(e.Waiting("dependency")).life
    assert (life.status, life.waiting_for, life.blocked_reason) == ("waiting", "dependency", "")
    life = given(AFTER, BLOCKED).when(c.Ready()).then(e.Readied()).life
    assert (life.status, life.waiting_for, life.blocked_reason) == ("pending", None, "")


def test_whoever_is_blocked_for_another_reason_is_left_to_a_person() -> None:
    for history in ((AFTER, e.Blocked("why")), (AFTER, e.Readied(), e.Blocked("why", "dependency"))):
        given(*history).when(c.Ready()).quietly()
        given(*history).when(c.Await()).quietly()


def test_a_pause_holds_what_waits_and_what_is_blocked_as_it_is() -> None:
    for history, status in (((AFTER,), "waiting"), ((AFTER, BLOCKED), "blocked")):
        held = given(*history, e.Paused())
        held.when(c.Ready()).quietly()
        held.when(c.Await()).quietly()
        life = held.when(c.Resume()).then(e.Resumed()).life
        assert (life.status, life.waiting_for) == (status, "dependency")


def test_a_person_lets_it_go_without_its_predecessors() -> None:
    assert given(AFTER, BLOCKED).when(c.RetryTask()).then(e.Retried()).life.status == "pending"
    assert given(AFTER, BLOCKED).when(c.Unblock()).then(e.Unblocked()).life.status == "pending"


def test_retried_before_it_ever_ran_it_waits_again() -> None:
    for end in ((e.Expired(GONE),), (e.CancelRequested(), e.Cancelled())):
        life = given(AFTER, *end).when(c.RetryTask()).then(e.Retried()).life
        assert (life.status, life.waiting_for) == ("waiting", "dependency")
    ran = (AFTER, e.Readied(), scheduled(), e.Started(), e.AttemptFailed(error=GONE, then="dead"))
    assert given(*ran).when(c.RetryTask()).then(e.Retried()).life.status == "pending"


def test_one_that_is_cancelled_waits_for_nothing() -> None:
    for history in ((AFTER,), (AFTER, BLOCKED)):
        life = given(*history).when(c.Cancel("ada")).then(e.CancelRequested("ada"), e.Cancelled()).life
        assert (life.status, life.waiting_for) == ("cancelled", None)


# What comes after what


def test_predecessors_come_first_whatever_the_order_they_are_named_in() -> None:
    after = {"d": ("b", "c"), "c": ("a",), "b": ("a", "elsewhere"), "a": ()}
    for seed in range(20):
        names = list(after)
        random.Random(seed).shuffle(names)
        order, rings = arranged({name: after[name] for name in names})
        assert not rings
        assert sorted(order) == ["a", "b", "c", "d"]
        assert order.index("a") < min(order.index("b"), order.index("c"))
        assert order[-1] == "d"


@pytest.mark.parametrize("names", [("a",), ("a", "b"), ("a", "b", "c")])
def test_a_ring_is_found_with_its_way_back(names: tuple[str, ...]) -> None:
    ring = {name: (names[(place + 1) % len(names)],) for place, name in enumerate(names)}
    order, rings = arranged(ring | {"free": (), "behind": ("a",)})
    assert set(rings) == set(names)
    assert rings["a"] == f"it would wait for itself: {' after '.join((*names, 'a'))}"
    assert order.index("behind") > order.index("a")


def test_of_rings_that_share_tasks_each_member_is_in_one_or_behind_one() -> None:
    for seed in range(300):
        chance = random.Random(seed)
        after = {f"t{n}": tuple(f"t{chance.randrange(7)}" for _ in range(chance.randrange(3))) for n in range(7)}
        order, rings = arranged(after)
        place = {name: index for index, name in enumerate(order)}
        refused: set[str] = set()
        for name in order:
            if name in rings or any(each in refused for each in after[name]):
                refused.add(name)
            else:
                assert all(place[each] < place[name] for each in after[name])
        for name in order:
            assert (name in refused) == _reaches_a_ring(name, after)


def _reaches_a_ring(name: str, after: dict[str, tuple[str, ...]]) -> bool:
    seen: set[str] = set()
    todo = [name]
    while todo:
        each = todo.pop()
        if each not in seen:
            seen.add(each)
            todo += after[each]
    return any(_reaches(each, each, after) for each in seen)


def _reaches(start: str, goal: str, after: dict[str, tuple[str, ...]]) -> bool:
    seen: set[str] = set()
    todo = list(after[start])
    while todo:
        each = todo.pop()
        if each == goal:
            return True
        if each not in seen:
            seen.add(each)
            todo += after[each]
    return False


def test_ten_thousand_in_a_row_or_in_a_ring_take_a_moment() -> None:
    names = [f"t{n}" for n in range(10_000)]
    row = {name: tuple(names[n - 1 : n]) for n, name in enumerate(names)}
    started_s = time.process_time()
    order, rings = arranged(dict(reversed(row.items())))
    assert (order, rings) == (names, {})
    _, rings = arranged(row | {"t0": ("t9999",)})
    assert len(rings) == 10_000
    assert time.process_time() - started_s < 2
    assert rings["t0"].startswith("it would wait for itself: t0 after t9999 after t9998")
    assert rings["t0"].endswith("after … 9992 more … after t1 after t0")
    assert len(rings["t0"]) < 200
    assert len(arranged({name: ("t0", *row[name]) for name in reversed(names)})[1]) >= 1
