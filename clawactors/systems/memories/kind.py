"""The kind of memories."""

from typing import Final

from clawactors.kernel.kind import Home, Kind
from clawactors.systems.memories import commands as c
from clawactors.systems.memories.decider import MEMORY
from clawactors.systems.memories.events import CODEC, MemoryEvent
from clawactors.systems.memories.external import COMMANDS, command_of
from clawactors.systems.memories.memory import Memory
from clawactors.systems.memories.personal import bare

__all__ = ["MEMORIES"]


def _believes(_id: str, memory: Memory, writer: str) -> bool:
    """The memory process and clients may write all; a node may only record a memory that does not exist."""
    return not writer or memory.content is None


def _owner(memory: Memory) -> str:
    return memory.content.owner if memory.content is not None else ""


MEMORIES: Final[Kind[c.MemoryCommand, Memory, MemoryEvent]] = Kind(
    name="memory",
    decider=MEMORY,
    codec=CODEC,
    command_decoder=COMMANDS,
    command_of=command_of,
    home=Home.MEMORY,
    believes=_believes,
    owner=_owner,
    bare=bare,
)
