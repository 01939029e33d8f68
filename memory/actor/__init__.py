"""The memory actor: one process's worth of remembering, run by `clawactors.app.processes.memory`.

In: the records of memories and chats as they come, those of tasks in bulk; questions on `claw.query.memory.<name>`.
Out: memories (`claw.memory.<id>.log`), tasks of the skill `memory.extract`, answers.
Rows and index are folds; what it keeps beside them (`marks`) only saves work. Everything that it appends is named by
what it comes from, so two of these processes, or one that begins anew, remember nothing twice.
Never here: how text is cut, compared or searched; those are the packages beside this one, and pure.
"""

from clawactors.memory.actor.actor import MemoryActor
from clawactors.memory.actor.precedence import switch_often

__all__ = ["MemoryActor", "switch_often"]
