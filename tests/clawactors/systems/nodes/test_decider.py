"""The numbered rules of nodes, as sentences."""

import pytest

from clawactors.systems.nodes import NODE, Node
from clawactors.systems.nodes import commands as c
from clawactors.systems.nodes import events as e
from tests.spec import SECOND, spec

given = spec(NODE)


def joined(incarnation: str = "i1", slots: int = 5) -> e.NodeJoined:
    """A node that offers one skill."""
    return e.NodeJoined(incarnation=incarnation, slots=slots, offers=(e.Offer("echo"),), affinity={"room": "1"})


LOST = e.NodeLost("i1", "no heartbeat")
HISTORIES: dict[str, tuple[e.NodeEvent, ...]] = {
    "absent": (),
    "online": (joined(),),
    "draining": (joined(), e.NodeDrained(held=True)),
    "cordoned": (joined(), e.NodeCordoned()),
    "offline": (joined(), LOST),
    "left": (joined(), e.NodeLeft("i1", "stopped")),
    "removed": (joined(), LOST, e.NodeRemoved()),
}
ALIVE = ("online", "draining", "cordoned")
GONE = ("offline", "left")
UNKNOWN = ("absent", "removed")


# Rule 1: one incarnation of an id lives at a time


def test_a_node_joins_and_takes_work() -> None:
    node = given().when(c.JoinNode(joined())).then(joined())
    assert (node.status, node.incarnation, node.alive, node.takes_work) == ("online", "i1", True, True)
    assert (node.registered_ns, node.updated_ns) == (SECOND, SECOND)


def test_a_repeated_join_is_quiet() -> None:
    for history in (HISTORIES["online"], HISTORIES["draining"], HISTORIES["offline"]):
        given(*history).when(c.JoinNode(joined())).quietly()


@pytest.mark.parametrize("status", ALIVE)
def test_a_join_is_refused_while_an_older_incarnation_is_alive(status: str) -> None:
    given(*HISTORIES[status]).when(c.JoinNode(joined("i2"), alive=True)).refused("a node with this id is alive")


@pytest.mark.parametrize("status", HISTORIES)
def test_a_join_ends_an_older_incarnation_that_is_dead(status: str) -> None:
    known = given(*HISTORIES[status])
    also = (e.NodeCordoned(),) if known.state.held else (e.NodeDrained(held=True),) if known.state.drains else ()
    node = known.when(c.JoinNode(joined("i2", 7))).then(joined("i2", 7), *also)
    kept = status if also else "online"  # rule 5
    assert (node.status, node.incarnation, node.joined.slots) == (kept, "i2", 7)
    assert (node.reason, node.left, node.lost_ns) == ("", False, 0)
    assert node.registered_ns == (node.updated_ns if status in UNKNOWN else SECOND)


def test_an_incarnation_has_a_name_and_slots_that_can_be_counted() -> None:
    given().when(c.JoinNode(joined(""))).refused("an incarnation with a name")
    given().when(c.JoinNode(joined(slots=-1))).refused("slots can't be negative")
    assert NODE.evolve(Node(), joined(""), 1) == Node()


# Rule 2: what speaks for an incarnation that is over changes nothing


@pytest.mark.parametrize("command", [c.LeaveNode("i0"), c.LoseNode("i0", "silent"), c.ReturnNode("i0")])
@pytest.mark.parametrize("status", HISTORIES)
def test_another_incarnation_has_no_say(status: str, command: c.NodeCommand) -> None:
    given(*HISTORIES[status]).when(command).quietly()


@pytest.mark.parametrize("status", ALIVE)
def test_a_silent_node_is_lost_and_one_that_stops_has_left(status: str) -> None:
    node = given(*HISTORIES[status]).when(c.LoseNode("i1", "no heartbeat")).then(LOST)
    assert (node.status, node.reason, node.left, node.lost_ns) == ("offline", "no heartbeat", False, node.updated_ns)
    node = given(*HISTORIES[status]).when(c.LeaveNode("i1", "stopped")).then(e.NodeLeft("i1", "stopped"))
    assert (node.status, node.reason, node.left) == ("offline", "stopped", True)


def test_a_repeated_loss_is_quiet() -> None:
    for status in (*GONE, *UNKNOWN):
        given(*HISTORIES[status]).when(c.LoseNode("i1", "again"), c.LeaveNode("i1")).quietly()


def test_what_left_in_good_order_does_not_return() -> None:
    given(*HISTORIES["left"]).when(c.ReturnNode("i1")).quietly()


# Rule 4: a lost incarnation may return


@pytest.mark.parametrize("status", ALIVE)
def test_what_was_lost_returns_as_it_was(status: str) -> None:
    node = given(*HISTORIES[status], LOST).when(c.ReturnNode("i1")).then(e.NodeReturned("i1"))
    assert (node.status, node.reason) == (status, "")
    given(*HISTORIES[status]).when(c.ReturnNode("i1")).quietly()


def test_what_was_given_before_the_loss_is_over() -> None:
    node = given(joined()).state
    assert node.may_run("i1", 0)
    assert not node.may_run("i0", 0)
    lost = given(joined(), LOST)  # at 2 s
    assert not lost.state.may_run("i1", 0)
    back = lost.when(c.ReturnNode("i1")).then(e.NodeReturned("i1"))
    assert not back.may_run("i1", 0)
    assert back.may_run("i1", 1)
    assert given(joined(), LOST, joined("i2")).state.may_run("i2", 0)


# What people ask


@pytest.mark.parametrize(
    ("command", "event", "status"),
    [
        (c.DrainNode(held=True), e.NodeDrained(held=True), "draining"),
        (c.CordonNode(), e.NodeCordoned(), "cordoned"),
        (c.UncordonNode(), e.NodeUncordoned(), "online"),
    ],
    ids=["drain", "cordon", "uncordon"],
)
def test_a_person_drains_cordons_and_uncordons_what_is_alive(
    command: c.NodeCommand, event: e.NodeEvent, status: str
) -> None:
    for before in ALIVE:
        if before == status:
            given(*HISTORIES[before]).when(command).quietly()
        else:
            node = given(*HISTORIES[before]).when(command).then(event)
            assert (node.status, node.takes_work) == (status, status == "online")
    for before in GONE:
        given(*HISTORIES[before]).when(command).refused("the node is offline")
    for before in UNKNOWN:
        given(*HISTORIES[before]).when(command).refused("there is no such node")


@pytest.mark.parametrize(
    "since",
    [
        (e.NodeLost("i1", "silent"),),
        (e.NodeDrained(), e.NodeLeft("i1", "stopped")),
        (e.NodeDrained(), e.NodeLost("i1"), e.NodeReturned("i1"), e.NodeLeft("i1")),
        (e.NodeConfigured(slots=3),),
    ],
    ids=["lost", "stopped", "returned", "superseded"],
)
def test_a_cordon_holds_until_it_is_lifted(since: tuple[e.NodeEvent, ...]) -> None:
    cordoned = given(joined(), e.NodeCordoned(), *since)
    node = cordoned.when(c.JoinNode(joined("i2"))).then(joined("i2"), e.NodeCordoned())
    assert (node.status, node.takes_work) == ("cordoned", False)
    again = given(joined(), e.NodeCordoned(), *since, joined("i2"), e.NodeCordoned(), e.NodeLeft("i2"))
    again.when(c.JoinNode(joined("i3"))).then(joined("i3"), e.NodeCordoned())
    lifted = given(
        joined(), e.NodeCordoned(), *since, joined("i2"), e.NodeCordoned(), e.NodeUncordoned(), e.NodeLeft("i2")
    )
    lifted.when(c.JoinNode(joined("i3"))).then(joined("i3"))


HOLD = e.NodeDrained(held=True)


@pytest.mark.parametrize(
    "since",
    [
        (e.NodeLeft("i1", "stopped"),),
        (e.NodeLost("i1", "silent"),),
        (e.NodeLost("i1"), e.NodeReturned("i1"), e.NodeLeft("i1")),
        (e.NodeConfigured(slots=3),),
    ],
    ids=["stopped", "lost", "returned", "superseded"],
)
def test_a_persons_drain_holds_until_it_is_lifted(since: tuple[e.NodeEvent, ...]) -> None:
    known = given(joined(), HOLD, *since)
    node = known.when(c.JoinNode(joined("i2"))).then(joined("i2"), HOLD)
    assert (node.status, node.takes_work) == ("draining", False)
    again = given(joined(), HOLD, *since, joined("i2"), HOLD, e.NodeLeft("i2"))
    again.when(c.JoinNode(joined("i3"))).then(joined("i3"), HOLD)
    lifted = given(joined(), HOLD, *since, joined("i2"), HOLD, e.NodeUncordoned(), e.NodeLeft("i2"))
    lifted.when(c.JoinNode(joined("i3"))).then(joined("i3"))


def test_a_drain_of_the_nodes_own_ends_with_it() -> None:
    given(joined(), e.NodeDrained(), e.NodeLeft("i1")).when(c.JoinNode(joined("i2"))).then(joined("i2"))
    stopping = given(joined(), e.NodeDrained())
    stopping.when(c.DrainNode()).quietly()
    stopping.when(c.DrainNode(held=True)).then(HOLD)
    given(joined(), HOLD).when(c.DrainNode(held=True)).quietly()


def test_of_a_cordon_and_a_drain_the_last_one_holds() -> None:
    given(joined(), e.NodeCordoned(), HOLD, e.NodeLeft("i1")).when(c.JoinNode(joined("i2"))).then(joined("i2"), HOLD)
    given(joined(), HOLD, e.NodeCordoned(), e.NodeLeft("i1")).when(c.JoinNode(joined("i2"))).then(
        joined("i2"), e.NodeCordoned()
    )
    given(joined(), e.NodeCordoned(), HOLD, e.NodeUncordoned(), e.NodeLeft("i1")).when(c.JoinNode(joined("i2"))).then(
        joined("i2")
    )
    given(joined(), HOLD, e.NodeLeft("i1"), e.NodeRemoved()).when(c.JoinNode(joined("i2"))).then(joined("i2"))


def test_a_persons_drain_is_lifted_while_the_node_is_away() -> None:
    left = given(joined(), HOLD, e.NodeLeft("i1"))
    assert left.when(c.UncordonNode()).then(e.NodeUncordoned()).drains is False
    given(joined(), HOLD, e.NodeLeft("i1"), e.NodeUncordoned()).when(c.JoinNode(joined("i2"))).then(joined("i2"))
    lost = given(joined(), HOLD, e.NodeLost("i1"), e.NodeUncordoned())
    assert lost.when(c.ReturnNode("i1")).then(e.NodeReturned("i1")).status == "online"


def test_a_cordon_is_lifted_while_the_node_is_away() -> None:
    left = given(joined(), e.NodeCordoned(), e.NodeDrained(), e.NodeLeft("i1"))
    node = left.when(c.UncordonNode()).then(e.NodeUncordoned())
    assert (node.status, node.held) == ("offline", False)
    left.when(c.UncordonNode()).refused("the node is offline")
    lost = given(joined(), e.NodeCordoned(), e.NodeLost("i1"), e.NodeUncordoned())
    assert lost.when(c.ReturnNode("i1")).then(e.NodeReturned("i1")).status == "online"
    drained = given(joined(), e.NodeCordoned(), e.NodeDrained(), e.NodeLost("i1"), e.NodeUncordoned())
    assert drained.when(c.ReturnNode("i1")).then(e.NodeReturned("i1")).status == "draining"


def test_a_removed_node_leaves_its_cordon_behind() -> None:
    removed = given(joined(), e.NodeCordoned(), e.NodeLeft("i1"), e.NodeRemoved())
    removed.when(c.JoinNode(joined("i2"))).then(joined("i2"))


@pytest.mark.parametrize("status", [*ALIVE, *GONE])
def test_slots_and_affinity_are_changed_and_the_rest_stays(status: str) -> None:
    known = given(*HISTORIES[status])
    node = known.when(c.ConfigureNode(slots=0)).then(e.NodeConfigured(slots=0))
    assert (node.joined.slots, node.joined.affinity, node.status) == (0, {"room": "1"}, known.state.status)
    node = known.when(c.ConfigureNode(affinity={})).then(e.NodeConfigured(affinity={}))
    assert (node.joined.slots, node.joined.affinity) == (0, {})
    known.when(c.ConfigureNode(), c.ConfigureNode(0), c.ConfigureNode(0, {})).quietly()
    known.when(c.ConfigureNode(slots=-1)).refused("slots can't be negative")


def test_only_what_is_known_can_be_configured_or_removed() -> None:
    for status in UNKNOWN:
        given(*HISTORIES[status]).when(c.ConfigureNode(slots=1)).refused("there is no such node")
        given(*HISTORIES[status]).when(c.RemoveNode()).refused("there is no such node")


def test_only_what_is_gone_is_removed() -> None:
    for status in ALIVE:
        given(*HISTORIES[status]).when(c.RemoveNode()).refused("the node is alive; drain and stop it first")
    for status in GONE:
        node = given(*HISTORIES[status]).when(c.RemoveNode()).then(e.NodeRemoved())
        assert node.status == "removed"
        assert NODE.is_final(node)


def test_nobody_lifts_the_drain_of_a_node_that_stops() -> None:
    """It gives back whatever it is given: tasks would go to and fro until it has ended."""
    stopping = given(joined(), e.NodeCordoned(), e.NodeDrained())
    assert stopping.when(c.UncordonNode()).then(e.NodeUncordoned()).status == "draining"
    given(joined(), e.NodeDrained()).when(c.UncordonNode()).quietly()
    cordoned = given(joined(), e.NodeDrained()).when(c.CordonNode()).then(e.NodeCordoned())
    assert cordoned.status == "cordoned"
    again = given(joined(), e.NodeDrained(), e.NodeCordoned(), e.NodeUncordoned())
    assert not again.state.takes_work
    lost = given(joined(), HOLD, e.NodeDrained(), e.NodeLost("i1"), e.NodeUncordoned(), e.NodeReturned("i1"))
    assert lost.state.status == "draining"
    assert given(joined(), HOLD).when(c.DrainNode()).then(e.NodeDrained()).stops
    assert given(joined(), e.NodeDrained(), joined("i2")).state.takes_work
