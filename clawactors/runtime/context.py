"""What all that asks or writes in one process shares."""

from functools import cached_property
from typing import TYPE_CHECKING

from clawactors.eventlog import EventLog
from clawactors.runtime.clock import Clock
from clawactors.runtime.logtime import LogTime
from clawactors.runtime.naming import Names

if TYPE_CHECKING:
    from clawactors.runtime.dispatcher import Dispatcher

__all__ = ["ActorContext", "ProcessContext"]


class ProcessContext:
    """The name that a process goes by, its clock, the time of the log as it knows it, and names for commits."""

    def __init__(self, clock: Clock, by: str) -> None:
        self.clock, self.by = clock, by
        self.names, self.time = Names(), LogTime(clock)


class ActorContext(ProcessContext):
    """Of a process that appends: also the log, and the dispatcher that it appends with.

    `node` is the id of the node whose process this is, "" in others.
    """

    def __init__(self, log: EventLog, clock: Clock, by: str, node: str = "") -> None:
        super().__init__(clock, by)
        self.log, self.node = log, node

    @cached_property
    def dispatcher(self) -> "Dispatcher":
        """The one that the process has composed, else one without middleware that loads states from the log."""
        from clawactors.runtime.dispatcher import Dispatcher
        from clawactors.runtime.snapshots import LogSnapshots

        return Dispatcher(self, LogSnapshots(self.log))
