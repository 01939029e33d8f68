"""One attempt of one task: a state machine whose phases are `assigned`, `running`, `stopping` and `ended`.

In: the `Assignment`, commits that others append to the task, and `stop` from the node.
Out: what the code does, recorded in the task's log by the `AttemptJournal` under the fence of the attempt.
"""

from clawactors.runtime.node.attempt.assigned import Assignment
from clawactors.runtime.node.attempt.attempt import Attempt
from clawactors.runtime.node.attempt.phase import StopReason

__all__ = ["Assignment", "Attempt", "StopReason"]
