"""The port through which consolidation reads existing memories."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from clawactors.memory.item import Item
from clawactors.memory.text.date import DateReader
from clawactors.systems.memories import Memory

__all__ = ["KnownMemories"]


class KnownMemories(Protocol):
    """The existing memories."""

    def memory(self, id: str) -> Memory | None:
        """The memory with this id, None if there is none."""
        ...

    def facts(self, owner: str, subject: str) -> Iterable[tuple[str, Memory]]:
        """The owner's facts about this subject, as pairs of id and memory."""
        ...

    def facts_on(self, owner: str, object: str) -> Iterable[tuple[str, Memory]]:
        """The owner's facts with this object, as pairs of id and memory."""
        ...

    def dates(self, owner: str) -> DateReader:
        """How the owner means dates: in which zone, by the habits of which locale."""
        ...

    def session(self, owner: str, session: str, position: int) -> Sequence[Item]:
        """The raw memories of a session, from the start of the episode that contains this position."""
        ...

    def tagged(self, owner: str, tags: tuple[str, ...]) -> Sequence[Item]:
        """The owner's memories that have all of these tags."""
        ...

    def similar(self, item: Item) -> Sequence[Item]:
        """The few memories of the same owner and kind that are most similar to this one, without itself."""
        ...
