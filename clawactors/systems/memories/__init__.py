"""Memories: one remembered thing each, as a small state machine, pure.

In: a command (`commands`) and the state (`memory`) go into `decide`, which gives `events` or refuses.
Out: the events, appended by the memory process, or by a node whose task adds a note. Text, index and graph are folds
of them.
Every memory names the events (`sources`) or the memories (`parents`) that it came from.
Never here: how text is cut, summed up, searched or compared (that is the package `memory`); time, randomness, I/O.
"""

from clawactors.systems.memories.decider import MEMORY
from clawactors.systems.memories.events import CODEC, Content, Fact, Kind, Origin
from clawactors.systems.memories.identity import memory_id, note_key
from clawactors.systems.memories.memory import Memory, Status

__all__ = ["CODEC", "MEMORY", "Content", "Fact", "Kind", "Memory", "Origin", "Status", "memory_id", "note_key"]
