"""Nodes: who can work, as a state machine each, pure.

In: `commands` from a node that joins or leaves, from the watch that misses one, from a person who drains one.
Out: `events` on `claw.node.<id>.log`. Each start of a node is an incarnation of its own; it fences what older ones say.
Never here: heartbeats and machine figures; those are leases in memory, joined at query time.
"""

from clawactors.systems.nodes.decider import NODE, Node

__all__ = ["NODE", "Node"]
