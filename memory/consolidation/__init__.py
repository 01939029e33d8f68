"""Consolidation: raw memories become episodes, episodes become summaries, what recurs becomes knowledge. Pure.

In: raw memories in the order of time, and what is known already. Out: commands for memories, under ids that follow
from what they name. So the same input gives the same commands, and doing it twice changes nothing.
Only what was said or done counts as evidence: what memory concluded or recalled is never condensed again.
"""

from memory.consolidation.consolidate import consolidated, faded
from memory.consolidation.history import Telling, task_memories
from memory.consolidation.known import Known
from memory.consolidation.order import Order

__all__ = ["Known", "Order", "Telling", "consolidated", "faded", "task_memories"]
