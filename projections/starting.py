"""Where placement begins: the open tasks and the nodes as of one position, without reading the whole log."""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from clawactors.nodes import Node
from clawactors.tasks import OPEN, Journal, Task
from projections import tasktable as t
from projections.index import ascending
from projections.keys import term
from projections.nodes import stored_nodes
from projections.projector import state_of
from projections.store import Reading, Store

__all__ = ["StartingPoint", "starting_point"]


class StartingPoint:
    """A `clawactors.placement.Snapshot`."""

    def __init__(self, position: int, tasks: list[tuple[str, int, Task]], nodes: list[tuple[str, int, Node]]) -> None:
        self.position = position
        self._tasks, self._nodes = tasks, nodes

    def open_tasks(self) -> Iterable[tuple[str, int, Task]]:
        """`(id, version, task)` of all that have not ended; results of steps are left out."""
        return self._tasks

    def nodes(self) -> Iterable[tuple[str, int, Node]]:
        """`(id, version, node)` of all that ever joined and were not removed."""
        return self._nodes


def starting_point(store: Store) -> StartingPoint:
    """Where the store stands."""
    with store.snapshot() as reading:
        state = state_of(reading)
        nodes = [(stored.id, stored.version, stored.node) for stored in stored_nodes(reading)]
        return StartingPoint(state.position if state else 0, list(_open_tasks(reading)), nodes)


def _open_tasks(reading: Reading) -> Iterator[tuple[str, int, Task]]:
    for status in sorted(OPEN):
        prefix = term(t.STATUS, status)
        for key, _ in ascending(reading, t.INDEX, prefix):
            if not key.startswith(prefix):
                break
            stored = t.load(reading, key[len(prefix) :])
            journal = Journal(replace(entry, result=None) for entry in stored.task.journal)
            yield stored.id, stored.version, replace(stored.task, journal=journal)
