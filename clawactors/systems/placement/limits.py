"""How many tasks of a skill may be under way at once in the whole cluster, and which are. Facts in, verdict out.

1. A limit is what living nodes announce with the skill; where they differ, the smallest counts.
2. A task takes a place from the order that gives it to a node until that node has it no longer: one that sleeps, waits,
   is paused or has ended takes none.
3. While the limits are `closed` nothing is begun under them: who takes the lead closes them until it knows what was
   given away before.
"""

from collections.abc import Callable, Iterable

import msgspec

from clawactors.systems.nodes import Node

__all__ = ["Limit", "Limits", "announced"]


class Limit(msgspec.Struct, gc=False):
    """At most so many tasks of the skill at once, and those that are under way."""

    skill: str
    at_most: int
    under_way: set[str] = msgspec.field(default_factory=set)

    @property
    def is_reached(self) -> bool:
        """True while no other task may begin; a limit that was lowered may be exceeded by what began before."""
        return len(self.under_way) >= self.at_most

    @property
    def reason(self) -> str:
        """Why a task has to wait, for people."""
        return f'limit: skill "{self.skill}" runs {len(self.under_way)} of at most {self.at_most} at once'

    @property
    def facts(self) -> dict[str, str | int]:
        """The same for programs."""
        return {"for": "limit", "skill": self.skill, "running": len(self.under_way), "limit": self.at_most}


def announced(nodes: Iterable[Node]) -> dict[str, int]:
    """Of each skill that a living node limits, the smallest limit."""
    smallest: dict[str, int] = {}
    for node in nodes:
        for offer in node.joined.offers if node.alive else ():
            if offer.concurrency is not None:
                smallest[offer.name] = min(offer.concurrency, smallest.get(offer.name, offer.concurrency))
    return smallest


class Limits:
    """`by_skill` is one and the same dict for ever, empty while there are none: who has none pays a look at it."""

    def __init__(self) -> None:
        self.closed = False
        self.by_skill: dict[str, Limit] = {}

    def of(self, skill: str) -> Limit | None:
        """The skill's limit, None where it has none."""
        return self.by_skill.get(skill)

    def announce(self, limits: dict[str, int], under_way: Callable[[str], Iterable[str]]) -> None:
        """These hold from now on; of a skill that had none, `under_way` tells the tasks that a node has."""
        for skill in self.by_skill.keys() - limits.keys():
            del self.by_skill[skill]
        for skill, at_most in limits.items():
            if (limit := self.by_skill.get(skill)) is not None:
                limit.at_most = at_most
            else:
                self.by_skill[skill] = Limit(skill, at_most, set(under_way(skill)))

    def note(self, skill: str, id: str, *, under_way: bool) -> None:
        """Whether that task takes a place."""
        if (limit := self.by_skill.get(skill)) is None:
            return
        if under_way:
            limit.under_way.add(id)
        else:
            limit.under_way.discard(id)

    def forbid(self, skill: str) -> bool:
        """True while no other task of the skill may begin."""
        limit = self.by_skill.get(skill)
        return limit is not None and (self.closed or limit.is_reached)
