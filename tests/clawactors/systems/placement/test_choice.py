"""R-S1: which node gets a task, and why none does."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawactors.systems.nodes import Node
from clawactors.systems.placement.choice import CREDIT_MIN, NodeCapacity, TaskShape, choose, shape_of, wait_for, why_not
from tests.clawactors.systems.placement.vocabulary import SECOND, capacity, joined, submitted

ECHO = TaskShape("echo")


def chosen(shape: TaskShape, *nodes: NodeCapacity, now_ns: int = SECOND) -> str | None:
    """The id of the chosen node."""
    best = choose(shape, nodes, now_ns)
    return best.id if best else None


def test_all_required_skills_have_to_be_there() -> None:
    shape = TaskShape("echo", requires=("gpu", "net"))
    nodes = [
        capacity("a", joined(skills="echo gpu")),
        capacity("b", joined(skills="echo gpu net")),
        capacity("c", joined(skills="net")),
    ]
    assert chosen(shape, *nodes) == "b"


def test_preferred_skills_come_before_load_but_are_no_condition() -> None:
    shape = TaskShape("echo", prefers=("ssd", "gpu"))
    busy = capacity("b", joined(skills="echo ssd gpu", slots=9), assigned=8)
    assert chosen(shape, capacity("a", joined()), busy, capacity("c", joined(skills="echo ssd"))) == "b"
    assert chosen(shape, capacity("a", joined())) == "a"


def test_the_least_loaded_by_slots_then_the_smallest_id() -> None:
    assert chosen(ECHO, capacity("a", joined(slots=2), assigned=1), capacity("b", joined(slots=8), assigned=3)) == "b"
    assert chosen(ECHO, capacity("b", joined()), capacity("a", joined()), capacity("c", joined())) == "a"


def test_affinity_has_to_match() -> None:
    shape = shape_of(submitted(affinity={"room": "1", "rack": "7"}))
    assert chosen(shape, capacity("a", joined(room="1")), capacity("b", joined(room="1", rack="7", floor="2"))) == "b"
    assert chosen(shape, capacity("a", joined(room="1")), capacity("b", joined(room="2", rack="7"))) is None


def test_tasks_that_ask_for_the_same_have_one_shape() -> None:
    one = submitted(params={"a": 1}, affinity={"a": "1", "b": "2"}, requires=("x",))
    other = submitted(params={"a": 2}, affinity={"b": "2", "a": "1"}, requires=("x",), priority=4)
    assert shape_of(one) == shape_of(other)
    assert hash(shape_of(one)) == hash(shape_of(other))


def test_only_what_takes_work_is_chosen() -> None:
    for status in ("draining", "cordoned", "offline", "removed", "absent"):
        assert chosen(ECHO, capacity("a", joined(), status)) is None
    frozen = capacity("a", joined())
    frozen.frozen = True
    assert chosen(ECHO, frozen) is None


def test_never_more_than_the_room() -> None:
    assert chosen(ECHO, capacity("a", joined(slots=2), assigned=2)) is None
    assert chosen(ECHO, capacity("a", joined(slots=0))) is None
    assert chosen(ECHO) is None


# Room: slots, and as much ahead as the node has lately ended


def test_a_node_that_ended_tasks_gets_as_many_ahead_for_a_moment() -> None:
    fast = capacity("a", joined(slots=2))
    for _ in range(10):
        fast.ended_one(SECOND)
    assert fast.room(SECOND) == 12
    assert 2 <= fast.room(SECOND + SECOND // 5) < 6
    assert fast.room(3 * SECOND) == 2


def test_the_clock_of_the_log_may_be_ahead() -> None:
    fast = capacity("a", joined(slots=2))
    fast.ended_one(9 * SECOND)
    assert fast.room(SECOND) == 3


@given(st.integers(0, 1000), st.integers(0, 2000), st.integers(0, 100))
def test_room_is_bounded_by_slots_and_credit(slots: int, ended: int, assigned: int) -> None:
    node = capacity("a", joined(slots=slots), assigned=assigned)
    for _ in range(ended):
        node.ended_one(SECOND)
    most = slots + max(CREDIT_MIN, 2 * slots)
    assert min(slots, 1) * slots - assigned <= node.room(SECOND) <= most - assigned
    if slots == 0:
        assert node.room(SECOND) <= 0


# Why not


def frozen(node: NodeCapacity) -> NodeCapacity:
    """A node that a later release has written to."""
    node.frozen = True
    return node


@pytest.mark.parametrize(
    ("shape", "nodes", "reasons"),
    [
        (ECHO, [], ["no node is online; start one with `claw up` or `claw join`"]),
        (ECHO, [capacity("a", joined(), "offline")], ["no node is online; start one with `claw up` or `claw join`"]),
        (ECHO, [frozen(capacity("a", joined()))], ["node a is of a later release than this process"]),
        (ECHO, [capacity("a", joined(skills="sing"))], ["no online node has the skill 'echo'"]),
        (TaskShape("echo", ("gpu",)), [capacity("a", joined())], ["no online node has the skill 'gpu'"]),
        (
            TaskShape("echo", ("gpu",)),
            [capacity("a", joined()), capacity("b", joined(skills="gpu"))],
            ["no single online node has all of the skills echo, gpu"],
        ),
        (
            TaskShape("echo", affinity=(("rack", "7"), ("room", "1"))),
            [capacity("a", joined(room="1"))],
            ["no online node with the skill has the affinity rack=7, room=1"],
        ),
        (
            ECHO,
            [capacity("a", joined(), "draining"), capacity("b", joined(), "cordoned")],
            ["node a is draining and takes nothing new", "node b is cordoned and takes nothing new"],
        ),
        (
            ECHO,
            [
                capacity("a", joined(slots=2), assigned=2),
                capacity("b", joined(), "draining"),
                capacity("c", joined(slots=0)),
            ],
            ["no free slot: node a has 2, all taken", "no free slot: node c has 0, all taken"],
        ),
        (ECHO, [capacity("a", joined())], []),
    ],
)
def test_it_says_why_a_task_is_not_placed(shape: TaskShape, nodes: list[NodeCapacity], reasons: list[str]) -> None:
    assert why_not(shape, nodes, SECOND) == reasons


SKILLS = st.sets(st.sampled_from(["echo", "gpu", "net"])).map(" ".join)


@st.composite
def any_capacity(draw: Callable[..., object]) -> NodeCapacity:
    """A node of any kind."""
    node = joined(slots=draw(st.integers(0, 2)), skills=draw(SKILLS), **draw(st.sampled_from([{}, {"room": "1"}])))  # type: ignore[arg-type]
    status = draw(st.sampled_from(["online", "online", "draining", "offline"]))
    made = capacity(draw(st.sampled_from("abc")), node, status, draw(st.integers(0, 2)))  # type: ignore[arg-type]
    made.frozen = draw(st.booleans()) and draw(st.booleans())  # type: ignore[assignment]
    return made


@given(
    st.lists(any_capacity(), max_size=4),
    st.lists(st.sampled_from(["gpu", "net"]), max_size=2),
    st.sampled_from([(), (("room", "1"),)]),
)
def test_there_is_a_reason_exactly_when_there_is_no_choice(
    nodes: list[NodeCapacity], requires: list[str], affinity: tuple[tuple[str, str], ...]
) -> None:
    shape = TaskShape("echo", tuple(requires), (), affinity)
    assert (choose(shape, nodes, SECOND) is None) == bool(why_not(shape, nodes, SECOND))


def test_a_node_that_configures_itself_anew_is_seen_so() -> None:
    changed = capacity("a", joined(skills="sing"))
    changed.update(Node(status="online", joined=joined(skills="echo")))
    assert chosen(ECHO, changed) == "a"


def test_many_tasks_wait_for_room_only_as_long_as_the_pace_of_the_nodes_promises_it() -> None:
    node = capacity("a", joined(slots=100), assigned=100)
    node.busy_ns = SECOND
    assert wait_for(ECHO, 40, 0, [capacity("b", joined(slots=40))], SECOND) == 0
    assert 0 < wait_for(ECHO, 40, 0, [node], SECOND) < 0.01  # it has just begun: nothing is known of its pace
    later_ns = 10 * SECOND
    assert wait_for(ECHO, 40, 0, [node], later_ns) == math.inf  # it has ended none in 9 s
    for _ in range(10):
        node.ended_one(later_ns)
    soon, after_others = (wait_for(ECHO, 40, before, [node], later_ns) for before in (0, 40))
    assert 0.5 < soon < 1 < after_others < 2  # 50 a second, and room for 10 ahead
    assert wait_for(ECHO, 1000, 0, [node], later_ns) == math.inf  # it never has so many at once
    assert wait_for(TaskShape("other"), 1, 0, [node], later_ns) == math.inf
