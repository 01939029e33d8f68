"""The port through which consolidation looks at what is remembered already."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from clawactors.memory.index.item import Item
from clawactors.systems.memories import Memory

__all__ = ["Known"]


class Known(Protocol):
    """What is remembered already."""

    def memory(self, id: str) -> Memory | None:
        """The memory with this id."""
        ...

    def facts(self, owner: str, subject: str) -> Iterable[tuple[str, Memory]]:
        """Ids and memories of the owner's facts about this subject."""
        ...

    def session(self, owner: str, session: str, position: int) -> Sequence[Item]:
        """The raw memories of a session, from the beginning of the episode that has this position."""
        ...

    def tagged(self, owner: str, tags: tuple[str, ...]) -> Sequence[Item]:
        """The owner's memories that have all of these tags."""
        ...

    def similar(self, item: Item) -> Sequence[Item]:
        """A few memories of the same owner and kind that come nearest to this one, itself not among them."""
        ...
