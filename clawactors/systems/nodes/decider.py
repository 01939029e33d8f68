"""The state machine of a node.

1. One incarnation of an id lives at a time: a join is refused while an older one is alive, and ends a dead one.
2. What speaks for an incarnation that is over changes nothing; one that left in good order is over.
3. `busy` is no state: it is an online node without a free slot, seen at query time.
4. A lost incarnation may return, as drained or cordoned as it was; what it was given before the loss is over.
5. A person's cordon or drain holds until it is lifted: the next incarnation joins under it, in one commit.
"""

from typing import Literal, assert_never

import msgspec
from msgspec.structs import replace

from clawactors.kernel.decider import Decider
from clawactors.kernel.errors import Refused
from clawactors.systems.nodes import commands as c
from clawactors.systems.nodes import events as e

__all__ = ["NODE", "Node", "Presence", "decide", "evolve"]

type Presence = Literal["absent", "online", "draining", "cordoned", "offline", "removed"]


class Node(msgspec.Struct, frozen=True, omit_defaults=True):
    """One node. `joined` is its last join with what was configured since; `left`: it stopped in good order.

    `returns_to`: what it was before it was lost; `held`: a person's cordon, `drains`: a person's drain, whatever came
    after it; `stops`: it drains to stop, which nobody lifts. `losses`: how often its incarnation was lost. Times in ns
    since 1970; `lost_ns`: the last loss.
    """

    status: Presence = "absent"
    joined: e.NodeJoined = e.NodeJoined(incarnation="")
    reason: str = ""
    left: bool = False
    returns_to: Presence = "online"
    held: bool = False
    drains: bool = False
    stops: bool = False
    losses: int = 0
    lost_ns: int = 0
    registered_ns: int = 0
    updated_ns: int = 0

    @property
    def incarnation(self) -> str:
        """The run of the node that counts."""
        return self.joined.incarnation

    @property
    def alive(self) -> bool:
        """True while its incarnation is believed to run."""
        return self.status in ("online", "draining", "cordoned")

    @property
    def takes_work(self) -> bool:
        """True when new tasks may be given to it."""
        return self.status == "online"

    def may_run(self, incarnation: str, losses: int) -> bool:
        """True while a task that was given to that incarnation after so many losses may still run there.

        Losses are counted in the log; times would not do: the server's clock may step back.
        """
        return self.alive and self.incarnation == incarnation and self.losses == losses


def decide(command: c.NodeCommand, node: Node) -> tuple[e.NodeEvent, ...]:
    """The events that the command leads to in this state, none for a repeat. Raises `Refused`."""
    match command:
        case c.JoinNode():
            if not command.joined.incarnation:
                raise Refused("each start of a node is an incarnation with a name")
            _slots(command.joined.slots)
            if node.incarnation == command.joined.incarnation:
                return ()
            if node.alive and command.alive:
                raise Refused("a node with this id is alive; choose another id or stop that one first")
            return (command.joined, *_hold(node))
        case c.LeaveNode():
            return (e.NodeLeft(command.incarnation, command.reason),) if _is(node, command.incarnation) else ()
        case c.LoseNode():
            return (e.NodeLost(command.incarnation, command.reason),) if _is(node, command.incarnation) else ()
        case c.ReturnNode():
            return (e.NodeReturned(command.incarnation),) if _is_lost(node, command.incarnation) else ()
        case c.DrainNode():
            _alive(node)
            return (e.NodeDrained(command.held),) if _drains_now(node, held=command.held) else ()
        case c.CordonNode():
            _alive(node)
            return () if node.status == "cordoned" else (e.NodeCordoned(),)
        case c.UncordonNode():
            if not _hold(node):
                _alive(node)
            return (e.NodeUncordoned(),) if node.held or node.drains else ()
        case c.ConfigureNode():
            _exists(node)
            _slots(command.slots or 0)
            changed = replace(node.joined, **_given(command.slots, command.affinity)) != node.joined
            return (e.NodeConfigured(command.slots, command.affinity),) if changed else ()
        case c.RemoveNode():
            _exists(node)
            if node.alive:
                raise Refused("the node is alive; drain and stop it first")
            return (e.NodeRemoved(),)
        case _:
            assert_never(command)


def _hold(node: Node) -> tuple[e.NodeEvent, ...]:
    """What a person has asked for that the next incarnation joins under."""
    return (e.NodeDrained(held=True),) if node.drains else (e.NodeCordoned(),) if node.held else ()


def _drains_now(node: Node, *, held: bool) -> bool:
    """True when a drain changes something: a person's may come after that of a node that stops, and the reverse."""
    return node.alive and (node.status != "draining" or not (node.drains if held else node.stops))


def _is(node: Node, incarnation: str) -> bool:
    return node.alive and node.incarnation == incarnation


def _is_lost(node: Node, incarnation: str) -> bool:
    return node.status == "offline" and not node.left and node.incarnation == incarnation


def _is_known(node: Node) -> bool:
    return node.status not in ("absent", "removed")


def _exists(node: Node) -> None:
    if not _is_known(node):
        raise Refused("there is no such node")


def _alive(node: Node) -> None:
    _exists(node)
    if not node.alive:
        raise Refused("the node is offline")


def _slots(slots: int) -> None:
    if slots < 0:
        raise Refused("slots can't be negative")


def _given(slots: int | None, affinity: dict[str, str] | None) -> dict[str, object]:
    return {k: v for k, v in (("slots", slots), ("affinity", affinity)) if v is not None}


def evolve(node: Node, event: e.NodeEvent, at_ns: int) -> Node:
    """The state after the event; the same object where the event is illegal in this state."""
    match event:
        case e.NodeJoined() if event.incarnation and event.incarnation != node.incarnation:
            registered_ns = node.registered_ns if _is_known(node) else at_ns
            return Node(status="online", joined=event, registered_ns=registered_ns, updated_ns=at_ns)
        case e.NodeLeft() if _is(node, event.incarnation):
            return replace(node, status="offline", reason=event.reason, left=True, updated_ns=at_ns)
        case e.NodeLost() if _is(node, event.incarnation):
            lost = replace(node, returns_to=node.status, losses=node.losses + 1, lost_ns=at_ns, updated_ns=at_ns)
            return replace(lost, status="offline", reason=event.reason)
        case e.NodeReturned() if _is_lost(node, event.incarnation):
            return replace(node, status=node.returns_to, reason="", updated_ns=at_ns)
        case e.NodeDrained() if _drains_now(node, held=event.held):
            drains, stops = node.drains or event.held, node.stops or not event.held
            return replace(node, status="draining", drains=drains, stops=stops, updated_ns=at_ns)
        case e.NodeCordoned() if node.alive and node.status != "cordoned":
            return replace(node, status="cordoned", held=True, drains=False, updated_ns=at_ns)
        case e.NodeUncordoned() if _hold(node):
            lifted: Presence = "draining" if node.stops else "online"
            if node.alive:
                return replace(node, status=lifted, held=False, drains=False, updated_ns=at_ns)
            return replace(node, held=False, drains=False, returns_to=lifted, updated_ns=at_ns)
        case e.NodeConfigured() if _is_known(node):
            joined = replace(node.joined, **_given(event.slots, event.affinity))
            return node if joined == node.joined else replace(node, joined=joined, updated_ns=at_ns)
        case e.NodeRemoved() if node.status == "offline":
            return replace(node, status="removed", held=False, drains=False, updated_ns=at_ns)
        case (
            e.NodeJoined()
            | e.NodeLeft()
            | e.NodeLost()
            | e.NodeReturned()
            | e.NodeDrained()
            | e.NodeCordoned()
            | e.NodeUncordoned()
            | e.NodeConfigured()
            | e.NodeRemoved()
        ):
            return node
        case _:
            assert_never(event)


def _is_final(node: Node) -> bool:
    return node.status == "removed"


NODE: Decider[c.NodeCommand, Node, e.NodeEvent] = Decider("node", Node(), decide, evolve, _is_final)
