"""What all that writes in one process shares."""

from functools import cached_property
from typing import TYPE_CHECKING

from clawactors.eventlog import EventLog
from clawactors.runtime.clock import Clock
from clawactors.runtime.logtime import LogTime
from clawactors.runtime.naming import Names

if TYPE_CHECKING:
    from clawactors.runtime.dispatcher import Dispatcher

__all__ = ["ActorContext"]


class ActorContext:
    """The log, its time, the name under which a process appends, and the dispatcher that it appends with.

    `node` is the id of the node whose process this is, "" in others.
    """

    def __init__(self, log: EventLog, clock: Clock, by: str, node: str = "") -> None:
        self.log, self.clock, self.by, self.node = log, clock, by, node
        self.names, self.time = Names(), LogTime(clock)

    @cached_property
    def dispatcher(self) -> "Dispatcher":
        """The one that the process has composed, else one without middleware that loads states from the log."""
        from clawactors.runtime.dispatcher import Dispatcher
        from clawactors.runtime.snapshots import LogSnapshots

        return Dispatcher(self, LogSnapshots(self.log))
