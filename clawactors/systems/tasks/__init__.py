"""Tasks: a durable state machine each, pure.

In: a command (`commands`) and the state (`task`) go into `decide`, which gives `events` or refuses.
Out: the events, appended by control, or by the node that runs the task; every reader gets the state back by `evolve`.
The journal of completed steps is part of the state: a step that is in it never runs again.
Never here: time, randomness, input or output; those arrive as arguments.
"""

from clawactors.systems.tasks.decider import TASK
from clawactors.systems.tasks.journal import Entry, Journal
from clawactors.systems.tasks.task import FINAL, OPEN, STATUSES, Status, Task, TaskStatus

__all__ = ["FINAL", "OPEN", "STATUSES", "TASK", "Entry", "Journal", "Status", "Task", "TaskStatus"]
