"""Consolidation: raw memories become episodes, episodes become summaries, what recurs becomes knowledge. Pure.

In: raw memories in the order of time, and what is known already. Out: commands for memories, under ids that follow
from what they name. So the same input gives the same commands, and doing it twice changes nothing.
Only what was said or done counts as evidence: what memory concluded or recalled is never condensed again.
"""

from clawactors.memory.consolidation.consolidate import consolidated, faded
from clawactors.memory.consolidation.history import HistoryExtractor, task_memories
from clawactors.memory.consolidation.known import Known
from clawactors.memory.consolidation.order import Order

__all__ = ["HistoryExtractor", "Known", "Order", "consolidated", "faded", "task_memories"]
