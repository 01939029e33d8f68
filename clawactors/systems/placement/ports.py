"""What a control process needs from a view to start without reading the whole log."""

from collections.abc import Iterable
from typing import Protocol

from clawactors.systems.erasures import Erasure
from clawactors.systems.nodes import Node
from clawactors.systems.schedules import Schedule
from clawactors.systems.tasks import Status, Task
from clawactors.systems.triggers import Trigger

__all__ = ["PlacementStart"]


class PlacementStart(Protocol):
    """The open tasks and the nodes as of one position of the log; results of steps may be left out."""

    position: int

    def open_tasks(self) -> Iterable[tuple[str, int, Task]]:
        """`(id, version, task)` of all that have not ended."""
        ...

    def ended(self) -> Iterable[tuple[str, Status]]:
        """Of the predecessors that open tasks wait for, those that have ended, and how."""
        ...

    def nodes(self) -> Iterable[tuple[str, int, Node]]:
        """`(id, version, node)` of all that ever joined and were not removed."""
        ...

    def schedules(self) -> Iterable[tuple[str, int, Schedule]]:
        """`(name, version, schedule)` of all that were ever added."""
        ...

    def triggers(self) -> Iterable[tuple[str, int, Trigger]]:
        """`(name, version, trigger)` of all that were ever added."""
        ...

    def erasures(self) -> Iterable[tuple[str, int, Erasure]]:
        """`(id, version, erasure)` of all owners of whom anything was ever erased."""
        ...

    def frozen(self) -> Iterable[tuple[str, str]]:
        """`(kind, id)` of what a later release has written; nothing is decided about it here."""
        ...
