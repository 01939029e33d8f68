"""The rules of placement and of what it knows: each order, and each way in which one comes to nothing."""

from collections.abc import Iterable

import pytest

from clawactors.systems.nodes import NODE, Node
from clawactors.systems.nodes import events as n
from clawactors.systems.placement import ClusterState, Placement, PlannedCommand
from clawactors.systems.tasks import TASK, Status, Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.task import assigned
from tests.clawactors.systems.placement.clockwork import Clockwork
from tests.clawactors.systems.placement.vocabulary import SECOND, joined, submitted


class Log:
    """What placement reads: records in order, each a second after the one before."""

    def __init__(self, *placements: Placement) -> None:
        self.placements = placements or (Placement(ClusterState()),)
        self.placement = self.placements[0]
        self.clockwork = Clockwork(self.placement)
        self.tasks: dict[str, Task] = {}
        self.nodes: dict[str, Node] = {}
        self.seq = 0
        self.behind_ns = 0

    @property
    def now_ns(self) -> int:
        return self.seq * SECOND - self.behind_ns

    def task(self, id: str, *events: e.TaskEvent) -> int:
        self.seq += 1
        state = self.tasks.get(id, Task())
        for event in events:
            state = TASK.evolve(state, event, self.now_ns)
        self.tasks[id] = state
        for placement in self.placements:
            placement.state.apply_task(id, self.seq, events, self.now_ns)
        return self.seq

    def node(self, id: str, *events: n.NodeEvent) -> int:
        self.seq += 1
        state = self.nodes.get(id, Node())
        for event in events:
            state = NODE.evolve(state, event, self.now_ns)
        self.nodes[id] = state
        for placement in self.placements:
            placement.state.apply_node(id, self.seq, events, self.now_ns)
        return self.seq

    def orders(self, limit: int = 1000) -> list[PlannedCommand]:
        return self.orders_at(self.now_ns, limit)

    def orders_at(self, now_ns: int, limit: int = 1000) -> list[PlannedCommand]:
        self.clockwork.until(now_ns)
        return self.placement.orders(now_ns, limit)

    def carry_out(self, orders: Iterable[PlannedCommand]) -> None:
        for order in orders:
            self.task(order.id, *TASK.decide(order.command, self.tasks[order.id]))

    def assigned(self, id: str) -> set[str]:
        return self.placement.state.nodes.by_id[id].assigned


def placed(orders: Iterable[PlannedCommand]) -> list[tuple[str, str]]:
    """`(task, node)` of what is scheduled."""
    return [(order.id, order.to) for order in orders if isinstance(order.command, c.ScheduleTask)]


def running(log: Log, id: str = "t", node: str = "a") -> None:
    """A task that runs on the node."""
    log.task(id, submitted())
    log.carry_out(log.orders())
    log.task(id, e.Started())
    assert log.tasks[id].life.node == node


def test_a_pending_task_goes_to_a_node_that_has_room() -> None:
    log = Log()
    log.node("a", joined("i7"))
    version = log.task("t", submitted())
    (order,) = log.orders()
    assert (order.id, order.version, order.to, order.command) == ("t", version, "a", c.ScheduleTask("a", "i7"))
    assert order.task == log.tasks["t"]
    log.carry_out([order])
    assert log.tasks["t"].fence == e.Fence("a", "i7", 1)


def test_what_was_seen_already_changes_nothing() -> None:
    log = Log()
    log.node("a", joined())
    running(log)
    log.task("t", e.Completed())
    for seq in range(log.seq + 1):
        assert log.placement.state.apply_task("t", seq, (submitted(),), SECOND)
        log.placement.state.apply_node("a", seq, (n.NodeLost("i1"),), SECOND)
        log.placement.state.apply_nothing("task", "t", seq)
    assert len(log.placement.state.tasks.by_id) == 0
    assert list(log.placement.state.nodes.live()) == [("a", "i1")]
    assert log.placement.state.position == log.seq


def test_rule_1_an_order_is_proposed_once_a_version() -> None:
    log = Log()
    log.node("a", joined())
    log.task("t", submitted())
    assert placed(log.orders()) == [("t", "a")]
    assert log.orders() == []
    version = log.task("t", e.Signalled("go"))
    (again,) = log.orders()
    assert again.version == version


def test_rule_1_a_withdrawn_order_is_proposed_again() -> None:
    log = Log()
    log.node("a", joined())
    log.task("t", submitted())
    (order,) = log.orders()
    log.placement.withdraw(order)
    assert log.assigned("a") == set()
    (again,) = log.orders()
    assert again == order


def test_an_order_counts_at_its_node_until_a_newer_version_is_seen() -> None:
    log = Log()
    log.node("a", joined(slots=1))
    log.task("t", submitted())
    log.task("u", submitted())
    assert placed(log.orders()) == [("t", "a")]
    assert log.assigned("a") == {"t"}
    log.task("t", e.CancelRequested(), e.Cancelled())  # while the order is on its way
    assert log.assigned("a") == set()
    assert placed(log.orders()) == [("u", "a")]


def test_a_late_withdrawal_takes_nothing_from_a_newer_order() -> None:
    log = Log()
    log.node("a", joined(slots=1))
    log.task("t", submitted())
    (first,) = log.orders()
    log.task("t", e.Signalled("go"))
    (second,) = log.orders()
    log.placement.withdraw(first)  # its answer comes only now
    assert log.assigned("a") == {"t"}
    assert log.orders() == []
    log.placement.withdraw(second)
    assert log.assigned("a") == set()


def test_what_a_rival_has_done_with_a_task_is_counted_where_it_did() -> None:
    log = Log()
    log.node("a", joined(slots=1))
    log.node("b", joined("j1", slots=1))
    log.task("t", submitted())
    (order,) = log.orders()
    assert order.to == "a"
    log.task("t", e.Scheduled(node="b", incarnation="j1", attempt=1, skill="echo"))
    assert (log.assigned("a"), log.assigned("b")) == (set(), {"t"})
    log.task("t", e.Started(), e.Completed())
    log.node("a", n.NodeDrained())  # looks at all that a has
    log.placement.withdraw(order)
    assert (log.assigned("a"), log.assigned("b")) == (set(), set())


def test_rule_2_a_node_gets_no_more_than_its_room() -> None:
    log = Log()
    log.node("a", joined(slots=2))
    for number in range(5):
        log.task(f"t-{number}", submitted())
    first = log.orders()
    assert placed(first) == [("t-0", "a"), ("t-1", "a")]
    log.carry_out(first)
    assert log.orders() == []
    log.task("t-0", e.Started(), e.Completed())
    assert len(log.assigned("a")) == 1
    assert placed(log.orders()) == [("t-2", "a"), ("t-3", "a")]  # one slot, and one ahead as it has just ended one


def test_fewer_slots_take_nothing_back() -> None:
    log = Log()
    log.node("a", joined(slots=2))
    running(log, "t")
    running(log, "u")
    log.node("a", n.NodeConfigured(slots=0))
    log.task("v", submitted())
    assert log.orders() == []
    assert log.assigned("a") == {"t", "u"}
    log.node("a", n.NodeConfigured(slots=3))
    assert placed(log.orders()) == [("v", "a")]


def test_cancelling_is_not_a_pace() -> None:
    log = Log()
    log.node("a", joined(slots=2))
    for number in range(9):
        log.task(f"t-{number}", submitted())
    log.carry_out(log.orders())
    log.task("t-0", e.CancelRequested(), e.Cancelled())
    assert log.placement.state.nodes.by_id["a"].room(log.now_ns) == 1


def test_rule_3_the_most_urgent_goes_first_then_the_oldest_whatever_its_shape() -> None:
    log = Log()
    for id, priority, skill in [
        ("a", 2, "echo"),
        ("b", 2, "sing"),
        ("c", 4, "sing"),
        ("d", 1, "echo"),
        ("e", 2, "echo"),
    ]:
        log.task(id, submitted(skill, priority))
    log.node("n", joined(slots=4, skills="echo sing"))
    assert placed(log.orders()) == [("c", "n"), ("a", "n"), ("b", "n"), ("e", "n")]


def test_rule_3_a_shape_that_finds_no_seat_holds_up_no_other() -> None:
    log = Log()
    log.task("t", submitted("rare", 4))
    log.task("u", submitted("echo", 1))
    log.node("a", joined())
    assert placed(log.orders()) == [("u", "a")]


def test_orders_are_limited_and_go_on() -> None:
    log = Log()
    log.node("a", joined(slots=9))
    for number in range(5):
        log.task(f"t-{number}", submitted())
    assert [len(placed(log.orders(limit=2))) for _ in range(4)] == [2, 2, 1, 0]


# Timers


def test_a_waiting_task_is_made_ready_when_it_is_due_and_not_before() -> None:
    log = Log()
    log.node("a", joined())
    running(log)
    log.task("t", e.Waiting("timer", 10 * SECOND))
    assert log.clockwork.next_ns() == 10 * SECOND
    assert log.orders_at(10 * SECOND - 1) == []
    (order,) = log.orders_at(10 * SECOND)
    assert order.command == c.Ready()
    assert log.clockwork.next_ns() is None
    assert log.orders_at(10 * SECOND) == []
    log.placement.withdraw(order)
    assert log.orders_at(10 * SECOND) == [order]


def test_a_retry_without_a_time_is_due_at_once() -> None:
    log = Log()
    log.node("a", joined())
    running(log)
    log.task("t", e.AttemptFailed(error=e.TaskError("network", ""), then="retry"))
    assert [order.command for order in log.orders()] == [c.Ready()]


def test_a_signal_is_waited_for_without_a_time_and_with_one() -> None:
    log = Log()
    log.node("a", joined())
    running(log, "t")
    running(log, "u")
    log.task("t", e.Waiting("signal"))
    log.task("u", e.Waiting("signal", 10 * SECOND))
    assert [order.id for order in log.orders_at(99 * SECOND)] == ["u"]


def test_a_timer_that_was_moved_is_due_at_its_new_time() -> None:
    log = Log()
    log.node("a", joined())
    log.task("t", submitted(not_before_ns=50 * SECOND))
    log.task("t", e.Paused())
    assert log.clockwork.next_ns() is None
    log.task("t", e.Resumed())
    assert log.clockwork.next_ns() == 50 * SECOND
    log.task("t", e.CancelRequested(), e.Cancelled())
    assert log.clockwork.next_ns() is None


# Recovery


def test_the_tasks_of_a_lost_node_are_taken_back_and_told_why() -> None:
    log = Log()
    log.node("a", joined())
    running(log)
    log.node("a", n.NodeLost("i1", "no heartbeat for 1.8 s"))
    (order,) = log.orders()
    assert order.command == c.Interrupt(e.Fence("a", "i1", 1), "node a: no heartbeat for 1.8 s")
    log.placement.withdraw(order)
    assert log.orders() == [order]
    log.carry_out([order])
    assert (log.tasks["t"].life.status, log.tasks["t"].life.interruptions) == ("pending", 1)


def test_what_a_node_left_behind_that_stopped_in_order_is_not_counted() -> None:
    log = Log()
    log.node("a", joined())
    running(log)
    log.node("a", n.NodeLeft("i1", "stopped"))
    (order,) = log.orders()
    assert order.command == c.Interrupt(e.Fence("a", "i1", 1), "node a: stopped", counted=False)


def test_a_new_incarnation_ends_what_the_old_one_ran() -> None:
    log = Log()
    log.node("a", joined())
    running(log)
    log.node("a", joined("i2"))
    (order,) = log.orders()
    assert order.command == c.Interrupt(e.Fence("a", "i1", 1), "node a: its incarnation is over")


def test_what_ran_before_a_loss_is_over_though_the_node_returned() -> None:
    log = Log()
    log.node("a", joined())
    running(log)
    log.node("a", n.NodeLost("i1", "silent"), n.NodeReturned("i1"))
    (order,) = log.orders()
    assert order.command == c.Interrupt(e.Fence("a", "i1", 1), "node a: it was lost for a while")
    log.task("t", e.Signalled("go"))  # a newer version, the same loss
    (again,) = log.orders()
    assert again.command == order.command
    log.carry_out([again])
    log.carry_out(log.orders())
    assert log.tasks["t"].fence == e.Fence("a", "i1", 2)
    assert log.orders() == []


def test_a_server_whose_clock_steps_back_costs_no_run_on_a_node_that_returned() -> None:
    log = Log()
    log.seq = 10_000
    log.node("a", joined())
    log.node("a", n.NodeLost("i1", "silent"), n.NodeReturned("i1"))
    log.behind_ns = 3600 * SECOND
    running(log)
    assert log.tasks["t"].life.scheduled_ns < log.nodes["a"].lost_ns
    assert log.orders() == []
    log.task("t", e.Signalled("go"))
    assert log.orders() == []
    log.node("a", n.NodeLost("i1", "silent"), n.NodeReturned("i1"))
    (order,) = log.orders()
    assert order.command == c.Interrupt(e.Fence("a", "i1", 1), "node a: it was lost for a while")


def test_a_schedule_that_arrives_after_the_loss_is_taken_back() -> None:
    log = Log()
    log.node("a", joined())
    log.task("t", submitted())
    orders = log.orders()
    log.node("a", n.NodeLost("i1", "silent"))
    log.carry_out(orders)
    assert [type(order.command) for order in log.orders()] == [c.Interrupt]


def test_the_tasks_of_a_removed_node_are_taken_back() -> None:
    log = Log()
    log.node("a", joined())
    running(log)
    log.node("a", n.NodeLost("i1", "silent"), n.NodeRemoved())
    (order,) = log.orders()
    assert order.command == c.Interrupt(e.Fence("a", "i1", 1), "node a: its incarnation is over")
    log.carry_out([order])
    assert list(log.placement.state.nodes.live()) == []
    assert log.placement.why("t", log.now_ns) == ["no node is online; start one with `claw up` or `claw join`"]


def test_what_is_paused_or_blocked_needs_no_recovery_and_holds_no_room() -> None:
    log = Log()
    log.node("a", joined())
    for id, event in (("t", e.Paused()), ("u", e.Blocked("look"))):
        running(log, id)
        log.task(id, event)
    assert log.assigned("a") == set()
    log.node("a", n.NodeLost("i1", "silent"))
    assert log.orders() == []


# Ended tasks


def test_an_ended_task_is_let_go_of() -> None:
    log = Log()
    log.node("a", joined(slots=50))
    for number in range(20):
        log.task(f"t-{number}", submitted())
    log.carry_out(log.orders())
    for number in range(20):
        log.task(f"t-{number}", e.Started(), e.Completed("x" * 1000))
    assert len(log.placement.state.tasks.by_id) == 0
    assert log.assigned("a") == set()
    assert log.orders() == []


def test_an_ended_task_that_is_retried_has_to_be_adopted() -> None:
    log = Log()
    log.node("a", joined())
    running(log)
    log.task("t", e.AttemptFailed(error=e.TaskError("network", ""), then="dead"))
    placement = log.placement
    task = TASK.evolve(log.tasks["t"], e.Retried(), 9 * SECOND)
    assert not placement.state.apply_task("t", 9, (e.Retried(),), 9 * SECOND)
    assert placement.orders(9 * SECOND) == []
    placement.state.apply_task("t", 10, (e.Signalled("go"),), 9 * SECOND)
    placement.state.apply_nothing("node", "t", 11)  # a node of the same name
    assert not placement.state.adopt("t", 9, task)
    assert placement.state.adopt("t", 10, task)
    (order,) = placement.orders(9 * SECOND)
    assert (order.version, order.to) == (10, "a")
    assert placement.state.adopt("t", 10, task)  # a second time, it was read twice
    assert placement.orders(9 * SECOND) == []


def test_a_node_is_believed_about_the_task_that_it_holds_alone() -> None:
    log = Log()
    log.node("a", joined())
    running(log)
    log.task("free", submitted())
    placement = log.placement
    assert placement.state.believes("t", "a")
    assert not placement.state.believes("t", "b")
    assert not placement.state.believes("free", "a")
    assert not placement.state.believes("nobody", "a")
    assert all(placement.state.believes(id, "") for id in ("t", "free", "nobody"))
    placement.state.apply_nothing("task", "t", log.seq + 1)
    assert log.assigned("a") == {"t"}


def test_a_task_that_was_read_ahead_is_not_folded_twice() -> None:
    log = Log()
    log.node("a", joined())
    placement = log.placement
    retried = assigned(e.Scheduled(node="a", incarnation="i1", attempt=4, skill="echo"), SECOND)
    assert not placement.state.apply_task("t", 9, (e.Retried(),), SECOND)
    assert placement.state.adopt("t", 12, retried)
    assert placement.state.apply_task("t", 11, (e.Paused(),), SECOND)
    assert log.assigned("a") == {"t"}
    assert placement.state.apply_task("t", 13, (e.Started(), e.Completed()), SECOND)
    assert log.assigned("a") == set()


def test_a_task_that_ended_again_before_it_was_read_is_not_taken_in() -> None:
    log = Log()
    assert not log.placement.state.apply_task("t", 9, (e.Retried(),), SECOND)
    cancelled = TASK.evolve(TASK.evolve(Task(spec=submitted()), e.CancelRequested(), 1), e.Cancelled(), 1)
    assert log.placement.state.adopt("t", 11, cancelled)
    assert len(log.placement.state.tasks.by_id) == 0


def test_an_ended_task_does_not_rise_from_a_submission_made_by_hand() -> None:
    log = Log()
    log.node("a", joined())
    running(log)
    log.task("t", e.Completed("done"))
    placement = log.placement
    assert not placement.state.apply_task("t", 9, (submitted(),), SECOND, first=False)
    assert placement.state.adopt("t", 9, log.tasks["t"])  # its log says that it has ended
    assert placement.orders(SECOND) == []
    assert len(placement.state.tasks.by_id) == 0


def test_a_submission_that_is_not_the_first_of_its_log_is_read_before_it_is_believed() -> None:
    log = Log()
    log.node("a", joined())
    placement = log.placement
    assert placement.state.apply_task("t", 2, (e.Started(),), SECOND)  # by hand, on a task that does not exist
    assert not placement.state.apply_task("t", 3, (submitted(),), SECOND, first=False)
    assert placement.state.apply_task("t", 4, (submitted(),), SECOND)
    assert placement.state.adopt("t", 4, Task(spec=submitted()))
    assert placed(placement.orders(SECOND)) == [("t", "a")]


# What says nothing, and what is from a later release


def test_a_record_that_says_nothing_is_a_version() -> None:
    log = Log()
    log.node("a", joined())
    log.task("t", submitted())
    log.placement.state.apply_nothing("task", "t", 9)
    log.placement.state.apply_nothing("node", "a", 10)
    log.placement.state.apply_nothing("task", "never", 11)
    log.placement.state.apply_nothing("", "", 12)
    (order,) = log.orders()
    assert order.version == 9
    assert log.placement.state.position == 12


def test_an_illegal_event_is_a_version_and_changes_nothing() -> None:
    log = Log()
    log.node("a", joined())
    version = log.task("t", submitted(), e.Completed("by hand"))
    log.node("a", n.NodeReturned("i0"))
    log.node("b", n.NodeDrained())
    assert [order.version for order in log.orders()] == [version]
    assert list(log.placement.state.nodes.live()) == [("a", "i1")]


def test_a_frozen_task_is_left_alone() -> None:
    log = Log()
    log.node("a", joined(slots=1))
    running(log, "t")
    log.task("u", submitted())
    for id in ("t", "u"):
        log.placement.state.freeze("task", id)
        log.task(id, e.Signalled("go"))
    log.node("a", n.NodeLost("i1", "silent"))
    log.node("b", joined("j1"))
    assert log.orders() == []
    assert log.placement.why("u", log.now_ns) == [
        "a later release has written to it; only such a release can go on with it"
    ]
    log.task("u", e.CancelRequested(), e.Cancelled())
    log.placement.state.freeze("task", "never")
    assert not any(log.placement.state.apply_task(id, 99, (e.Retried(),), 1) is False for id in ("never", "u"))


def test_an_order_for_a_task_that_froze_is_not_proposed_again() -> None:
    log = Log()
    log.node("a", joined(slots=1))
    log.task("t", submitted())
    (order,) = log.orders()
    log.placement.state.freeze("task", "t")
    assert log.assigned("a") == set()
    log.placement.withdraw(order)
    assert log.orders() == []
    assert log.assigned("a") == set()


def test_a_frozen_node_gets_nothing_new_and_keeps_what_it_has() -> None:
    log = Log()
    log.node("a", joined())
    running(log)
    log.placement.state.freeze("node", "a")
    log.node("a", n.NodeLost("i1", "silent"))
    log.task("u", submitted())
    assert log.orders() == []
    assert list(log.placement.state.nodes.live()) == []
    assert log.placement.why("u", log.now_ns) == ["node a is of a later release than this process"]


def test_what_runs_on_a_node_of_a_later_release_is_not_taken_back() -> None:
    log = Log()
    log.placement.state.freeze("node", "z")  # its first word was one that this release does not know
    log.task("t", submitted())
    log.task("t", e.Scheduled(node="z", incarnation="k1", attempt=1, skill="echo"))
    assert log.orders() == []
    log.task("u", submitted())
    log.task("u", e.Scheduled(node="y", incarnation="k1", attempt=1, skill="echo"))
    assert [order.id for order in log.orders()] == ["u"]  # of y nobody has ever heard


# Starting from a view


class View:
    """A snapshot made by hand."""

    def __init__(self, log: Log, *frozen: tuple[str, str]) -> None:
        self.position = log.seq
        self._log, self._frozen = log, frozen

    def open_tasks(self) -> Iterable[tuple[str, int, Task]]:
        return [(id, self._log.seq, task) for id, task in self._log.tasks.items()]

    def ended(self) -> Iterable[tuple[str, Status]]:
        return [(id, task.life.status) for id, task in self._log.tasks.items() if TASK.is_final(task)]

    def nodes(self) -> Iterable[tuple[str, int, Node]]:
        return [(id, self._log.seq, node) for id, node in self._log.nodes.items()]

    def frozen(self) -> Iterable[tuple[str, str]]:
        return self._frozen


def test_a_placement_that_starts_from_a_view_goes_on_as_the_old_one_would() -> None:
    log = Log()
    log.node("a", joined(slots=2))
    log.node("b", joined("j1", slots=2))
    running(log, "t")
    log.node("a", n.NodeLost("i1", "silent"))
    log.task("u", submitted())
    log.task("w", submitted(not_before_ns=99 * SECOND))
    log.task("x", submitted(), e.CancelRequested(), e.Cancelled())
    fresh = Placement(ClusterState())
    fresh.state.load(View(log))
    assert fresh.state.position == log.seq
    assert len(fresh.state.tasks.by_id) == 3
    assert Clockwork(fresh).next_ns() == 99 * SECOND
    assert [(order.id, order.command) for order in fresh.orders(log.now_ns)] == [
        (order.id, order.command) for order in log.orders()
    ]


def test_a_view_tells_what_is_frozen() -> None:
    log = Log()
    log.node("a", joined())
    running(log, "t")
    log.node("a", n.NodeLost("i1", "silent"))
    log.task("u", submitted())
    log.node("b", joined("j1"))
    fresh = Placement(ClusterState())
    fresh.state.load(View(log, ("task", "t"), ("task", "u"), ("node", "c")))
    assert fresh.orders(log.now_ns) == []


# Why


def test_why_a_task_is_not_placed() -> None:
    log = Log()
    log.task("t", submitted())
    assert log.placement.why("t", 0) == ["no node is online; start one with `claw up` or `claw join`"]
    assert log.placement.why("never", 0) == []
    log.node("a", joined())
    assert log.placement.why("t", 0) == []
    orders = log.orders()
    log.node("a", n.NodeDrained())
    assert log.placement.why("t", 0) == []  # it is about to be
    log.carry_out(orders)
    assert log.placement.why("t", 0) == []


def test_parameters_and_payloads_are_not_kept() -> None:
    large = "x" * 100_000
    placement = Placement(ClusterState())
    made = e.Submitted(skill="echo", params={"text": large}, metadata={"note": large}, description=large)
    placement.state.apply_task("t", 1, [made], 1)
    placement.state.apply_task("t", 2, [e.Signalled("go", large)], 2)
    placement.state.apply_task("t", 3, [e.Edited(skill="echo", params={"text": large})], 3)
    assert large not in repr(placement.state.tasks.by_id["t"].task.spec)
    assert large not in repr(placement.state.tasks.by_id["t"].task)


@pytest.mark.parametrize("ahead_s", [3600, -3600])
def test_a_stamp_an_hour_off_starts_a_task_neither_early_nor_late(ahead_s: int) -> None:
    """The server's clock is wrong; the time of the log, which control keeps, is not."""
    log = Log()
    log.node("a", joined())
    log.behind_ns = -ahead_s * SECOND
    log.task("t", submitted(not_before_ns=1800 * SECOND))
    assert log.orders_at(1800 * SECOND - 1) == []
    [order] = log.orders_at(1800 * SECOND)
    assert isinstance(order.command, c.ScheduleTask if ahead_s > 0 else c.Ready)


def test_a_stamp_an_hour_ahead_does_not_hold_up_a_task_with_a_deadline() -> None:
    log = Log()
    log.node("a", joined())
    log.behind_ns = -3600 * SECOND
    log.task("t", submitted(deadline_ns=1800 * SECOND))
    assert placed(log.orders_at(10 * SECOND)) == [("t", "a")]
