"""The two values that all stages share: a memory with its number in the index, and a command for one memory."""

from typing import Final

import msgspec

from clawactors.systems.memories import Content, Kind, Memory
from clawactors.systems.memories.commands import MemoryCommand

__all__ = ["KINDS", "Item", "ItemCommand"]

KINDS: Final[tuple[Kind, ...]] = ("raw", "summary", "knowledge")
"""The kinds of memories; the index stores the position in this tuple."""


class Item(msgspec.Struct, frozen=True, array_like=True):
    """A memory with its number in the index; `version` is the log sequence of its last change.

    `recorded` is that of the commit since which it is remembered, `said` that of the commit that has its words.
    """

    number: int
    id: str
    version: int
    memory: Memory
    recorded: int = 0
    said: int = 0

    @property
    def sources(self) -> tuple[int, ...]:
        """The log sequences of the events it comes from; a note has no source but its own commit."""
        return self.content.sources or (self.said or self.version,)

    @property
    def content(self) -> Content:
        """What is remembered. Raises: `ValueError` for a forgotten memory."""
        if self.memory.content is None:
            raise ValueError(f"memory {self.id} was forgotten: it has no content")
        return self.memory.content


class ItemCommand(msgspec.Struct, frozen=True):
    """A command and the id of the memory that it is for."""

    id: str
    command: MemoryCommand
