"""The laws that tie `decide` to `evolve` for nodes, in every state that can be reached."""

from collections.abc import Iterator
from functools import cache
from typing import get_args

from msgspec.structs import replace

from clawactors.kernel.errors import Refused
from clawactors.systems.nodes import NODE, Node
from clawactors.systems.nodes import commands as c
from clawactors.systems.nodes import events as e
from clawactors.systems.nodes.decider import Presence

NOW_NS = 1000


def commands() -> Iterator[c.NodeCommand]:
    """All that anybody could ask of a node."""
    for incarnation in ("i1", "i2", ""):
        yield c.JoinNode(e.NodeJoined(incarnation=incarnation))
        yield c.JoinNode(e.NodeJoined(incarnation=incarnation), alive=True)
        yield from (c.LeaveNode(incarnation), c.LoseNode(incarnation, "silent"), c.ReturnNode(incarnation))
    yield from (c.DrainNode(), c.CordonNode(), c.UncordonNode(), c.RemoveNode())
    yield from (
        c.ConfigureNode(),
        c.ConfigureNode(3),
        c.ConfigureNode(0),
        c.ConfigureNode(-1),
        c.ConfigureNode(affinity={"room": "2"}),
    )


def events() -> Iterator[e.NodeEvent]:
    """One event or more of every type."""
    for incarnation in ("i1", "i2", ""):
        yield from (
            e.NodeJoined(incarnation=incarnation),
            e.NodeLeft(incarnation),
            e.NodeLost(incarnation),
            e.NodeReturned(incarnation),
        )
    yield from (e.NodeDrained(), e.NodeCordoned(), e.NodeUncordoned(), e.NodeRemoved())
    yield from (e.NodeConfigured(), e.NodeConfigured(3), e.NodeConfigured(0), e.NodeConfigured(affinity={"room": "2"}))


@cache
def states() -> list[Node]:
    """Every state, the first before anything was asked."""
    found = [Node()]
    for node in found:
        for command in commands():
            try:
                decided = NODE.decide(command, node)
            except Refused:
                continue
            after = node
            for event in decided:
                before, after = after, NODE.evolve(after, event, NOW_NS)
                assert after is not before, f"{command} leads to {event}, which is illegal in {before}"
            after = replace(after, losses=min(after.losses, 1))  # a count without end, which no rule looks at
            if after not in found:
                found.append(after)
    return found


def test_every_status_is_reached() -> None:
    assert {node.status for node in states()} == set(get_args(Presence.__value__))


def test_everything_is_tried() -> None:
    assert {type(event) for event in events()} == set(e.NodeEvent.__value__.__args__)
    assert {type(command) for command in commands()} == set(c.NodeCommand.__value__.__args__)


def test_evolve_is_total_and_takes_only_what_some_command_leads_to() -> None:
    for node in states():
        decided = set()
        for command in commands():
            try:
                decided |= {type(event) for event in NODE.decide(command, node)[:1]}  # the next one builds on it
            except Refused:
                continue
        before = repr(node)
        legal = {type(event) for event in events() if NODE.evolve(node, event, NOW_NS) is not node}
        assert legal == decided, f"in {node}"
        assert repr(node) == before


def test_a_removed_node_is_final_and_can_join_again() -> None:
    for node in states():
        assert NODE.is_final(node) == (node.status == "removed")
        assert NODE.evolve(node, e.NodeJoined(incarnation="i9"), NOW_NS).status == "online"


def test_a_join_without_a_new_incarnation_is_illegal() -> None:
    for node in states():
        assert NODE.evolve(node, e.NodeJoined(incarnation=""), NOW_NS) is node
        assert NODE.evolve(node, e.NodeJoined(incarnation=node.incarnation, slots=9), NOW_NS) is node
