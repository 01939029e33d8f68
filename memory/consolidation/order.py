"""What consolidation asks for: a command for one memory."""

import msgspec

from clawactors.systems.memories.commands import MemoryCommand

__all__ = ["Order"]


class Order(msgspec.Struct, frozen=True):
    """A command and the id of the memory that it is for."""

    id: str
    command: MemoryCommand
