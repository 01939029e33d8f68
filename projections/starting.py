"""The start of a control process: open tasks, nodes and schedules as of one position, without reading the log."""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from clawactors.projections.engine.faults import frozen
from clawactors.projections.engine.index import ascending
from clawactors.projections.engine.keys import term
from clawactors.projections.engine.state import state_of
from clawactors.projections.engine.store import Reading, Store
from clawactors.projections.views.erasures import ERASURE_TABLES
from clawactors.projections.views.nodes.view import stored_nodes
from clawactors.projections.views.schedules import SCHEDULE_TABLES
from clawactors.projections.views.tasks import table as t
from clawactors.projections.views.tasks.lists import STATUS
from clawactors.projections.views.triggers import TRIGGER_TABLES
from clawactors.systems.erasures import Erasure
from clawactors.systems.nodes import Node
from clawactors.systems.placement import slim
from clawactors.systems.schedules import Schedule
from clawactors.systems.tasks import OPEN, Journal, Status, Task
from clawactors.systems.triggers import Trigger

__all__ = ["StartingPoint", "starting_point"]


class StartingPoint(msgspec.Struct):
    """A `clawactors.systems.placement.Snapshot`."""

    position: int
    _tasks: list[tuple[str, int, Task]]
    _ended: list[tuple[str, Status]]
    _nodes: list[tuple[str, int, Node]]
    _schedules: list[tuple[str, int, Schedule]]
    _triggers: list[tuple[str, int, Trigger]]
    _frozen: list[tuple[str, str]]
    _erasures: list[tuple[str, int, Erasure]]

    def open_tasks(self) -> Iterable[tuple[str, int, Task]]:
        """`(id, version, task)` of all that have not ended; results of steps are left out."""
        return self._tasks

    def ended(self) -> Iterable[tuple[str, Status]]:
        """Of the predecessors that open tasks wait for, those that have ended, and how."""
        return self._ended

    def nodes(self) -> Iterable[tuple[str, int, Node]]:
        """`(id, version, node)` of all that ever joined and were not removed."""
        return self._nodes

    def schedules(self) -> Iterable[tuple[str, int, Schedule]]:
        """`(name, version, schedule)` of all that were ever added."""
        return self._schedules

    def triggers(self) -> Iterable[tuple[str, int, Trigger]]:
        """`(name, version, trigger)` of all that were ever added."""
        return self._triggers

    def erasures(self) -> Iterable[tuple[str, int, Erasure]]:
        """`(id, version, erasure)` of all owners of whom anything was ever erased."""
        return self._erasures

    def frozen(self) -> Iterable[tuple[str, str]]:
        """`(kind, id)` of what a later release has written."""
        return self._frozen


def starting_point(store: Store) -> StartingPoint:
    """The state of the store."""
    with store.snapshot() as reading:
        state, tasks = state_of(reading), list(_open_tasks(reading))
        return StartingPoint(
            state.position if state else 0,
            tasks,
            list(_ended(reading, tasks)),
            [(stored.id, stored.version, stored.node) for stored in stored_nodes(reading)],
            [(stored.name, stored.version, stored.state) for stored in SCHEDULE_TABLES.read_all(reading)],
            [(stored.name, stored.version, stored.state) for stored in TRIGGER_TABLES.read_all(reading)],
            [(kind, id) for kind, id, _ in frozen(reading)],
            [(stored.name, stored.version, stored.state) for stored in ERASURE_TABLES.read_all(reading)],
        )


def _open_tasks(reading: Reading) -> Iterator[tuple[str, int, Task]]:
    for status in sorted(OPEN):
        prefix = term(STATUS, status)
        for key, _ in ascending(reading, t.INDEX, prefix):
            if not key.startswith(prefix):
                break
            stored = t.load(reading, key[len(prefix) :])
            journal = Journal(replace(entry, result=None) for entry in stored.task.journal)
            yield stored.id, stored.version, replace(slim(stored.task), journal=journal)


def _ended(reading: Reading, tasks: Iterable[tuple[str, int, Task]]) -> Iterator[tuple[str, Status]]:
    awaited: dict[str, None] = {}
    for _, _, task in tasks:
        if task.life.waiting_for == "dependency" and task.spec is not None:
            awaited.update(dict.fromkeys(task.spec.after))
    for id in awaited:
        if (key := t.find(reading, id)) is not None:
            status = t.load(reading, key, newest_entries=0).task.life.status
            if status not in OPEN:
                yield id, status
