"""The memory process: ingests the log, consolidates, and answers questions. `clawactors.app.processes.memory` runs it.

In: records of memories and chats as they come, records of tasks in bulk; questions on `claw.query.memory.<name>`.
Out: memories (`claw.memory.<id>.log`), tasks of the skill `memory.extract`, answers.
Rows and index are folds of the log; the checkpoint only saves work. Every id it writes follows from its source, so two
memory processes, or one that starts over, remember nothing twice.
"""

from clawactors.memory.process.actor import MemoryActor
from clawactors.memory.process.plan import MemoryPlan, plan_of
from clawactors.memory.process.precedence import switch_often

__all__ = ["MemoryActor", "MemoryPlan", "plan_of", "switch_often"]
