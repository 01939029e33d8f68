"""Assigned: the task was given to this node and its code has not begun."""

from typing import TYPE_CHECKING, override

import msgspec

from clawactors.kernel.fold import Snapshot
from clawactors.runtime.node.attempt.phase import Phase, StopReason
from clawactors.runtime.node.attempt.stopping import StoppingPhase
from clawactors.systems.tasks import Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.approvals import APPROVAL
from clawactors.systems.tasks.journal import SIGNAL
from clawactors.systems.tasks.task import TaskStatus, assigned

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["AssignedPhase", "Assignment", "start"]


class Assignment(msgspec.Struct, frozen=True, gc=False):
    """What `task.scheduled` brought: enough to run the task without reading anything.

    `unsure`: something was appended since, or the append had no guard, so the task's own log has to be read first.
    """

    id: str
    version: int
    event: e.Scheduled
    at_ns: int
    unsure: bool = False

    @property
    def fence(self) -> e.Fence:
        """The attempt that this assignment is for."""
        return e.Fence(self.event.node, self.event.incarnation, self.event.attempt)

    @property
    def known(self) -> Snapshot[Task]:
        """What the node knows of the task."""
        return Snapshot(assigned(self.event, self.at_ns), self.version)

    @property
    def is_resumed(self) -> bool:
        """Whether there may be completed steps."""
        return self.event.attempt > 1 or self.event.steps > 0 or self.unsure


class AssignedPhase(Phase):
    """Nothing runs yet."""

    @override
    def stop(self, reason: StopReason) -> Phase:
        return StoppingPhase(reason)


def _waits_of(life: TaskStatus) -> tuple[str, ...]:
    """What the code has waited for since its last step, and the approvals that are open."""
    approvals = (APPROVAL + each.name for each in life.approvals)
    return tuple(SIGNAL + name for name in (*life.waited, *approvals))


async def start(attempt: "Attempt") -> None:
    """Reads the journal where there may be one, and notes the start. Raises: `TaskSuspended`, `Refused`."""
    journal, event = attempt.journal, attempt.assignment.event
    if attempt.assignment.is_resumed:
        await attempt.retry_while_unavailable(journal.load)
        attempt.signals.journal_is_complete()
        attempt.earlier_waits = _waits_of(journal.state.life)
        attempt.apply_state()
        attempt.check()
    attempt.note(c.StartTask(attempt.fence))
    if event.interruptions:
        await attempt.write()
        journal.gathers = False
