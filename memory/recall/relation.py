"""Facts as a graph: each fact is an edge between two names."""

from collections import deque
from collections.abc import Callable

import msgspec

from clawactors.memory.index.rows import with_terms
from clawactors.memory.index.terms import object_term, subject_term
from clawactors.memory.item import Item
from clawactors.memory.recall.aliases import names_of
from clawactors.memory.text.normal import fold
from clawactors.projections.engine.store import Reading
from clawactors.systems.memories import Fact

__all__ = ["Edge", "Relations"]


class Edge(msgspec.Struct, frozen=True):
    """A fact between two names and the id of its memory; `holds`: it is valid now; `steps`: distance from the start."""

    fact: Fact
    id: str
    holds: bool
    steps: int = 1


class Relations:
    """The facts of one owner ('' for all owners) in one snapshot of the store, of those whom one `sees`."""

    def __init__(self, reading: Reading, owner: str = "", sees: Callable[[str], bool] = lambda _: True) -> None:
        self._reading, self._owner, self._sees = reading, owner, sees

    def about(self, name: str, *, past: bool = False) -> list[Edge]:
        """The facts with this name, or another of the same person, at either end; `past` includes those that ended."""
        names = names_of(self._reading, name, self._may_tell)
        edges = {edge.id: edge for each in names for edge in self._edges(each, 1)}
        return [edge for edge in edges.values() if past or edge.holds]

    def _may_tell(self, item: Item) -> bool:
        return self._owner in ("", item.content.owner) and self._sees(item.content.owner)

    def walk(self, name: str, depth: int = 2, limit: int = 100) -> list[Edge]:
        """The valid facts that can be reached in `depth` steps, nearest first, each once."""
        found: dict[str, Edge] = {}
        seen = {fold(name)}
        waiting = deque([(name, 0)])
        while waiting and len(found) < limit:
            at, steps = waiting.popleft()
            if steps == depth:
                continue
            for edge in self._edges(at, steps + 1):
                if not edge.holds:
                    continue
                found.setdefault(edge.id, edge)
                for other in (edge.fact.subject, edge.fact.object):
                    if fold(other) not in seen:
                        seen.add(fold(other))
                        waiting.append((other, steps + 1))
        return list(found.values())[:limit]

    def at(self, name: str, time_ns: int) -> list[Edge]:
        """The facts about this name that were valid at that time."""
        return [
            edge
            for edge in self._edges(name, 1)
            if edge.fact.valid_from_ns <= time_ns and not 0 < edge.fact.valid_until_ns <= time_ns
        ]

    def _edges(self, name: str, steps: int) -> list[Edge]:
        found: dict[int, Item] = {}
        for term in (subject_term(name), object_term(name)):
            found |= {item.number: item for item in with_terms(self._reading, term)}
        return [
            Edge(item.content.fact, item.id, item.memory.status == "live", steps)
            for _, item in sorted(found.items())
            if item.content.fact and self._owner in ("", item.content.owner) and self._sees(item.content.owner)
        ]
