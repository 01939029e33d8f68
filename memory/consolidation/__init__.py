"""Consolidation: raw memories form episodes, episodes become summaries, recurring items become knowledge. Pure.

In: raw memories in the order of time, and the existing memories (`KnownMemories`). Out: commands for memories. Ids
follow from what they name, so the same input gives the same commands, and a second run changes nothing.
Only what was said or done is evidence: conclusions and recalled memories are never consolidated again.
"""

from clawactors.memory.consolidation.consolidate import consolidate, expire, outdated, retention
from clawactors.memory.consolidation.known import KnownMemories

__all__ = ["KnownMemories", "consolidate", "expire", "outdated", "retention"]
