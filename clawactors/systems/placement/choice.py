"""Which node fits a task best, and why none does. A policy: facts in, verdict out."""

import math
from collections.abc import Iterable
from functools import lru_cache

import msgspec

from clawactors.systems.nodes import Node
from clawactors.systems.nodes.events import Offer
from clawactors.systems.tasks.events import Spec

__all__ = ["NodeCapacity", "TaskShape", "choose", "fits", "preference", "shape_of", "wait_for", "why_not"]

CREDIT_MIN = 64
"""Tasks that may be given to a node ahead of its slots, at least; the rest is twice its slots."""

_PACE_S = 0.2
"""A node gets as much work ahead as it has lately ended in this time: fast tasks never starve it, slow ones never queue
behind a busy node while another one idles."""

_UNKNOWN_S = 0.1
"""So long after a node was given its first task nothing follows from how few it has ended."""


class TaskShape(msgspec.Struct, frozen=True, cache_hash=True):
    """What a task asks of a node; tasks of one shape are placed alike."""

    skill: str
    requires: tuple[str, ...] = ()
    prefers: tuple[str, ...] = ()
    affinity: tuple[tuple[str, str], ...] = ()
    avoid: str = ""
    only: str = ""


def shape_of(spec: Spec, avoid: str = "", only: str = "") -> TaskShape:
    """The shape of a task; `avoid` is the node that it had better not go to, `only` the one that keeps its run."""
    if not (spec.requires or spec.prefers or spec.affinity or avoid or only):
        return _plain(spec.skill)
    return TaskShape(spec.skill, spec.requires, spec.prefers, tuple(sorted(spec.affinity.items())), avoid, only)


@lru_cache(maxsize=256)
def _plain(skill: str) -> TaskShape:
    return TaskShape(skill)


class NodeCapacity:
    """A node as placement sees it: what it can do, what it was given and how fast it works.

    `frozen`: a later release has written to it, so nothing is known of it any more. `parked`: tasks whose runs it keeps
    in memory; they take no room.
    """

    __slots__ = ("assigned", "busy_ns", "frozen", "id", "node", "pace", "paced_ns", "parked", "skills", "timeouts")

    def __init__(self, id: str, node: Node) -> None:
        self.id = id
        self.assigned: set[str] = set()
        self.parked: set[str] = set()
        self.frozen = False
        self.pace, self.paced_ns, self.busy_ns = 0.0, 0, 0
        self.update(node)

    def update(self, node: Node) -> None:
        """Takes over the node's new state."""
        self.node = node
        self.skills = frozenset(offer.name for offer in node.joined.offers if not offer.lacks)
        self.timeouts = {offer.name: offer.timeout_s for offer in node.joined.offers if offer.timeout_s}

    def ended_one(self, at_ns: int) -> None:
        """One of its tasks ended at that time."""
        self.pace = self._pace_at(at_ns) + 1
        self.paced_ns = at_ns

    def _pace_at(self, at_ns: int) -> float:
        return self.pace * math.exp(-max(0, at_ns - self.paced_ns) / (_PACE_S * 1e9))

    def most(self, now_ns: int) -> int:
        """How many tasks it may have been given now."""
        slots = self.node.joined.slots
        return slots + min(int(self._pace_at(now_ns)), max(CREDIT_MIN, 2 * slots)) if slots else 0

    def room(self, now_ns: int) -> int:
        """How many tasks more it may be given now."""
        return self.most(now_ns) - len(self.assigned)

    def per_s(self, now_ns: int) -> float:
        """How many tasks it ends a second, infinite while that can't be known."""
        busy_s = (now_ns - self.busy_ns) / 1e9
        if busy_s < _UNKNOWN_S:
            return math.inf
        return self._pace_at(now_ns) / (_PACE_S * (1 - math.exp(-busy_s / _PACE_S)))

    @property
    def load(self) -> float:
        """Tasks given per slot."""
        return len(self.assigned) / max(1, self.node.joined.slots)


def fits(shape: TaskShape, capacity: NodeCapacity) -> bool:
    """True for a node that may run such tasks once it has room."""
    return (
        (capacity.node.alive if shape.only else capacity.node.takes_work)
        and not capacity.frozen
        and shape.only in ("", capacity.id)
        and shape.skill in capacity.skills
        and (not shape.requires or all(skill in capacity.skills for skill in shape.requires))
        and (not shape.affinity or _fits_affinity(shape, capacity))
    )


def _fits_affinity(shape: TaskShape, capacity: NodeCapacity) -> bool:
    return all(capacity.node.joined.affinity.get(key) == value for key, value in shape.affinity)


def preference(shape: TaskShape, capacity: NodeCapacity) -> tuple[bool, int, float, str]:
    """The smallest is the best: not to be avoided, most of the preferred skills, least load, the smallest id."""
    return (
        capacity.id == shape.avoid,
        -sum(skill in capacity.skills for skill in shape.prefers) if shape.prefers else 0,
        capacity.load,
        capacity.id,
    )


def choose(shape: TaskShape, capacities: Iterable[NodeCapacity], now_ns: int) -> NodeCapacity | None:
    """The best of the nodes with room, None where none has any."""
    able = (capacity for capacity in capacities if fits(shape, capacity) and capacity.room(now_ns) > 0)
    return min(able, key=lambda capacity: preference(shape, capacity), default=None)


def wait_for(shape: TaskShape, count: int, before: int, capacities: Iterable[NodeCapacity], now_ns: int) -> float:
    """Seconds until the nodes have room for so many tasks at once, as they work now, after those that come before.

    0 where they have it, infinite where they have too few slots for as many.
    """
    fitting = [capacity for capacity in capacities if fits(shape, capacity)]
    if count > sum(capacity.most(now_ns) for capacity in fitting):
        return math.inf
    lacking = count + before - sum(max(0, capacity.room(now_ns)) for capacity in fitting)
    per_s = sum(capacity.per_s(now_ns) for capacity in fitting)
    return 0.0 if lacking <= 0 else max(1e-3, lacking / per_s) if per_s else math.inf


def why_not(shape: TaskShape, capacities: Iterable[NodeCapacity], now_ns: int) -> list[str]:
    """The reasons, for people, why a task of this shape is not placed; empty when it could be."""
    known = list(capacities)
    alive = [capacity for capacity in known if capacity.node.alive and not capacity.frozen]
    if not alive:
        later = [f"node {capacity.id} is of a later release than this process" for capacity in known if capacity.frozen]
        return later or ["no node is online; start one with `claw up` or `claw join`"]
    needed = (shape.skill, *shape.requires)
    able = [capacity for capacity in alive if all(skill in capacity.skills for skill in needed)]
    if not able:
        lacking = next((skill for skill in needed if not any(skill in capacity.skills for capacity in alive)), None)
        if lacking is not None:
            if secrets := [
                _without_secret(capacity, offer) for capacity in alive for offer in _lacking(capacity, lacking)
            ]:
                return secrets
            return [f"no online node has the skill {lacking!r}"]
        return [f"no single online node has all of the skills {', '.join(needed)}"]
    matching = [capacity for capacity in able if _fits_affinity(shape, capacity)]
    if not matching:
        wanted = ", ".join(f"{key}={value}" for key, value in shape.affinity)
        return [f"no online node with the skill has the affinity {wanted}"]
    working = [capacity for capacity in matching if capacity.node.takes_work]
    if not working:
        return [f"node {capacity.id} is {capacity.node.status} and takes nothing new" for capacity in matching]
    if all(capacity.room(now_ns) <= 0 for capacity in working):
        return [f"no free slot: node {capacity.id} has {capacity.node.joined.slots}, all taken" for capacity in working]
    return []


def _lacking(capacity: NodeCapacity, skill: str) -> list[Offer]:
    return [offer for offer in capacity.node.joined.offers if offer.name == skill and offer.lacks]


def _without_secret(capacity: NodeCapacity, offer: Offer) -> str:
    names = " and ".join(map(repr, offer.lacks))
    return (
        f"node {capacity.id} holds no secret {names}, which skill {offer.name!r} asks for: start it with --secrets FILE"
    )
