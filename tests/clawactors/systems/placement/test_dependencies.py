"""What follows when tasks end that others wait for: each dependent once, none forgotten, and at no cost to the rest."""

import random
import time

import pytest

from clawactors.systems.nodes import events as n
from clawactors.systems.placement import ClusterState, Placement
from clawactors.systems.tasks import FINAL
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.events import OnDead, TaskError
from tests.clawactors.systems.placement.test_placement import Log, View, placed, running
from tests.clawactors.systems.placement.vocabulary import SECOND, joined, submitted

DEAD = (e.Started(), e.AttemptFailed(error=TaskError("unknown", "boom"), then="dead"))
READY, AWAIT = ("t", c.Ready()), ("t", c.Await())


def told(log: Log) -> list[tuple[str, c.TaskCommand]]:
    """What is proposed now; it is not carried out."""
    orders = log.orders()
    for order in orders:
        log.placement.withdraw(order)
    return [(order.id, order.command) for order in orders]


def waiting(*after: str, on_dead: OnDead = "block", **options: object) -> Log:
    """Task `t` waits for these, which are open."""
    log = Log()
    for id in after:
        log.task(id, submitted())
    log.task("t", submitted(after=after, on_dead=on_dead, **options))
    return log


def end(log: Log, id: str, *events: e.TaskEvent) -> None:
    """The task was given away, and this is how it ended."""
    attempt = log.tasks[id].life.attempt + 1
    log.task(id, e.Scheduled(node="a", incarnation="i1", attempt=attempt, skill="echo"), *events)


def complete(log: Log, id: str) -> None:
    end(log, id, e.Started(), e.Completed())


def learn(log: Log) -> list[str]:
    """What is asked for, answered from the log."""
    asked = log.placement.state.asks()
    for id in asked:
        task = log.tasks.get(id)
        log.placement.state.note_status(id, log.seq if task else 0, task.life.status if task else None)
    return asked


def test_a_task_goes_on_when_the_last_of_its_predecessors_has_completed() -> None:
    log = waiting("p", "q")
    assert told(log) == []
    complete(log, "p")
    assert told(log) == []
    complete(log, "q")
    assert told(log) == [READY]
    log.carry_out(log.orders())
    assert log.tasks["t"].life.status == "pending"
    assert told(log) == []
    assert learn(log) == []


def test_it_is_told_once_a_version_and_anew_when_that_came_to_nothing() -> None:
    log = waiting("p")
    complete(log, "p")
    (order,) = log.orders()
    assert log.orders() == []
    log.placement.withdraw(order)
    assert [order.command for order in log.orders()] == [c.Ready()]
    log.task("t", e.Signalled("go"))
    assert told(log) == [READY]


def test_an_end_wakes_all_that_wait_for_it_and_nobody_else() -> None:
    log = Log()
    for id in ("p", "q"):
        log.task(id, submitted())
    for number in range(5):
        log.task(f"t{number}", submitted(after=("p",)))
    log.task("other", submitted(after=("q",)))
    complete(log, "p")
    assert [id for id, _ in told(log)] == [f"t{number}" for number in range(5)]


@pytest.mark.parametrize(("on_dead", "tag"), [("block", "Block"), ("fail", "Expire"), ("run", "Ready")])
def test_what_follows_a_dead_predecessor_is_said_by_the_policy(on_dead: OnDead, tag: str) -> None:
    log = waiting("p", "q", on_dead=on_dead)
    end(log, "p", *DEAD)
    if on_dead == "run":
        assert told(log) == []
        complete(log, "q")
    ((_, command),) = told(log)
    assert type(command).__name__ == tag
    log.carry_out(log.orders())
    life = log.tasks["t"].life
    match on_dead:
        case "block":
            assert (life.status, life.blocked_reason) == ("blocked", "its predecessor p is dead")
        case "fail":
            assert (life.status, life.error) == ("failed", TaskError("dependency", "its predecessor p is dead"))
        case "run":
            assert life.status == "pending"
    assert told(log) == []


ENDS = {
    "failed": (e.Expired(TaskError("timeout", "late")),),
    "cancelled": (e.CancelRequested(), e.Cancelled()),
    "gone": (e.Deleted(),),
}


@pytest.mark.parametrize("how", ENDS)
def test_whatever_ends_without_a_result_is_a_dead_predecessor(how: str) -> None:
    log = waiting("p")
    log.task("p", *ENDS[how])
    assert told(log) == [("t", c.Block(f"its predecessor p is {how}", waits_for="dependency"))]


def test_a_predecessor_that_goes_on_lets_its_dependents_wait_again_and_then_go() -> None:
    log = waiting("p", "q")
    complete(log, "q")
    end(log, "p", *DEAD)
    log.carry_out(log.orders())
    assert told(log) == []
    log.task("p", e.Retried())  # forgotten here, so it is read
    assert log.placement.state.adopt("p", log.seq, log.tasks["p"])
    assert told(log) == [AWAIT]
    log.carry_out(log.orders())
    assert log.tasks["t"].life.status == "waiting"
    complete(log, "p")
    assert told(log) == [READY]


def test_a_predecessor_that_goes_on_and_completes_before_anybody_looks() -> None:
    log = waiting("p")
    end(log, "p", *DEAD)
    log.carry_out(log.orders())
    log.task("p", e.Retried())
    complete(log, "p")
    assert told(log) == []
    assert log.placement.state.adopt("p", log.seq, log.tasks["p"])
    assert told(log) == [READY]
    log.carry_out(log.orders())
    assert log.tasks["t"].life.status == "pending"


def test_how_a_predecessor_ended_before_is_asked_for_once() -> None:
    log = Log()
    for id in ("done", "dead"):
        log.task(id, submitted())
    complete(log, "done")
    end(log, "dead", *DEAD)
    log.task("t", submitted(after=("done",)))
    log.task("u", submitted(after=("done", "dead")))
    assert told(log) == []
    assert learn(log) == ["done", "dead"]
    assert learn(log) == []
    assert told(log) == [READY, ("u", c.Block("its predecessor dead is dead", waits_for="dependency"))]


def test_a_predecessor_that_is_not_there_yet_is_waited_for() -> None:
    log = Log()
    log.task("t", submitted(after=("p",)))
    assert learn(log) == ["p"]
    assert told(log) == []
    log.task("p", submitted())
    assert told(log) == []
    complete(log, "p")
    assert told(log) == [READY]


def test_an_answer_that_the_fold_has_overtaken_counts_for_nothing() -> None:
    log = Log()
    log.task("p", submitted())
    end(log, "p", *DEAD)
    log.task("t", submitted(after=("p",)))
    assert log.placement.state.asks() == ["p"]
    then = log.seq
    log.task("p", e.Retried())
    assert log.placement.state.adopt("p", log.seq, log.tasks["p"])
    log.placement.state.note_status("p", then, "dead")
    assert told(log) == []
    complete(log, "p")
    assert told(log) == [READY]


def test_an_answer_from_ahead_of_the_fold_is_asked_for_again() -> None:
    log = Log()
    log.task("p", submitted())
    complete(log, "p")
    log.task("t", submitted(after=("p",)))
    assert log.placement.state.asks() == ["p"]
    log.placement.state.note_status("p", log.seq + 5, "archived")
    assert told(log) == []
    assert learn(log) == ["p"]
    assert told(log) == [READY]


def test_one_that_is_paused_is_told_when_it_is_resumed() -> None:
    log = waiting("p")
    log.task("t", e.Paused())
    complete(log, "p")
    assert told(log) == []
    log.task("t", e.Resumed())
    assert told(log) == [READY]


def test_what_waits_no_more_is_forgotten() -> None:
    for events in ENDS.values():
        log = waiting("p", "q")
        log.task("t", *events)
        assert not log.placement.state.tasks.dependencies.watched
        complete(log, "p")
        assert told(log) == []


def test_what_a_later_release_has_written_to_is_left_alone() -> None:
    log = waiting("p")
    log.placement.state.freeze("task", "t")
    complete(log, "p")
    assert told(log) == []


def test_its_start_is_waited_for_after_its_predecessors() -> None:
    log = waiting("p", not_before_ns=90 * SECOND)
    complete(log, "p")
    log.carry_out(log.orders())
    assert (log.tasks["t"].life.waiting_for, told(log)) == ("timer", [])
    assert [order.command for order in log.orders_at(91 * SECOND)] == [c.Ready()]


def test_a_diamond_goes_through_in_order() -> None:
    log = Log()
    log.node("a", joined(slots=9))
    shape = {"top": (), "left": ("top",), "right": ("top",), "end": ("left", "right")}
    for id, after in shape.items():
        log.task(id, submitted(after=after))
    ran: list[str] = []
    while len(ran) < 4:
        orders = log.orders()
        log.carry_out(orders)
        for id, _ in placed(orders):
            ran.append(id)
            log.task(id, e.Started(), e.Completed(id))
    assert ran == ["top", "left", "right", "end"]
    assert len(log.placement.state.tasks.by_id) == 0
    assert not log.placement.state.tasks.dependencies.watched


def test_whoever_starts_from_a_view_at_any_place_proposes_the_same() -> None:
    log = Log()
    log.node("a", joined(slots=9))
    fresh: list[Placement] = []

    def look() -> None:
        placement = Placement(ClusterState())
        placement.state.load(View(log))
        fresh.append(placement)
        expected = sorted(told(log), key=repr)
        for each in fresh:
            for id in each.state.asks():
                known = log.tasks.get(id)
                final = known is not None and known.life.status in FINAL
                each.state.note_status(id, 0, known.life.status if known and final else None)
            orders = each.orders(log.now_ns)
            assert sorted(((order.id, order.command) for order in orders), key=repr) == expected
            for order in orders:
                each.withdraw(order)
        log.placements = (log.placement, *fresh)

    log.task("u", submitted(after=("p", "absent")))
    look()
    for id in ("p", "q", "r"):
        log.task(id, submitted(skill="nobody-has-it"))
        look()
    log.task("t", submitted(after=("p", "q", "r")))
    look()
    complete(log, "p")
    look()
    end(log, "q", *DEAD)
    look()
    log.task("t", e.Blocked("its predecessor q is dead", "dependency"))
    look()
    complete(log, "r")
    look()
    log.task("q", e.Retried())
    for each in log.placements:
        assert each.state.adopt("q", log.seq, log.tasks["q"])
    look()
    log.task("t", e.Waiting("dependency"))
    complete(log, "q")
    look()
    assert ("t", c.Ready()) in told(log)


def test_a_node_that_is_lost_changes_nothing_for_those_that_wait() -> None:
    log = Log()
    log.node("a", joined())
    running(log, "p")
    log.task("t", submitted(after=("p",)))
    log.node("a", n.NodeLost("i1", "silent"))
    log.carry_out(log.orders())
    assert log.tasks["t"].life.status == "waiting"
    log.node("a", n.NodeReturned("i1"))
    log.carry_out(log.orders())
    log.task("p", e.Started(), e.Completed())
    assert told(log) == [READY]


# Rule 3: rings that others have closed


def test_a_ring_that_was_closed_by_two_at_once_is_found_and_one_of_it_is_put_before_a_person() -> None:
    log = Log()
    log.node("a", joined("i1"))
    log.task("a", submitted(after=("b",)))
    log.task("b", submitted(after=("c",)))
    assert told(log) == []
    log.task("c", submitted(after=("a", "other")))
    assert told(log) == [("c", c.Block("it would wait for itself: c after a after b after c"))]
    log.carry_out(log.orders())
    assert log.tasks["c"].life.status == "blocked"
    assert told(log) == []
    log.task("c", e.Retried())  # a person lets it go, without waiting
    assert log.tasks["c"].life.status == "pending"
    for id in ("c", "b", "a"):
        complete(log, id)
        log.carry_out(order for order in log.orders() if not isinstance(order.command, c.ScheduleTask))
    assert log.tasks["a"].life.status == "completed"


def test_a_ring_fails_by_policy() -> None:
    log = Log()
    log.task("a", submitted(after=("b",)))
    log.task("b", submitted(after=("a",), on_dead="fail"))
    error = TaskError("dependency", "it would wait for itself: b after a after b")
    assert told(log) == [("b", c.Expire(error))]


def test_a_ring_is_found_by_whoever_begins_with_a_view() -> None:
    log = Log()
    for id, after in (("a", "b"), ("b", "c"), ("c", "a")):
        log.task(id, submitted(after=(after,)))
    fresh = Placement(ClusterState())
    fresh.state.load(View(log))
    orders = fresh.orders(log.now_ns)
    assert len(orders) == 1
    assert isinstance(orders[0].command, c.Block)
    assert "it would wait for itself" in orders[0].command.reason


def test_what_comes_late_and_closes_no_ring_is_left_alone() -> None:
    log = Log()
    log.task("end", submitted(after=("left", "right")))
    log.task("left", submitted(after=("top",)))
    log.task("right", submitted(after=("top", "left")))
    log.task("top", submitted())
    assert [command for _, command in told(log)] == []


def test_ten_thousand_that_come_in_any_order_are_looked_at_in_little_time() -> None:
    log, order = Log(), list(range(1, 10_000))
    random.Random(7).shuffle(order)
    began_s = time.process_time()
    for number in order:
        log.placement.state.apply_task(f"t{number}", log.seq + 1, (submitted(after=(f"t{number - 1}",)),), log.now_ns)
        log.seq += 1
    assert time.process_time() - began_s < 10
    assert len(log.placement.state.tasks.by_id) == len(order)
