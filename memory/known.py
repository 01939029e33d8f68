"""What consolidation needs to know, read from the index."""

from collections.abc import Callable, Iterator

import numpy as np

from clawactors.memory.index import Index
from clawactors.memory.index.item import KINDS, Item, subject_term, tag_term
from clawactors.memory.index.rows import find, item_at, with_terms
from clawactors.memory.recall import Filter, Searcher
from clawactors.projections.engine.store import Reading
from clawactors.systems.memories import Kind, Memory

__all__ = ["KnownIndex"]

_SIMILAR = 8


class KnownIndex:
    """The `Known` of an index, at one moment of its store. `suspend` is called before each look."""

    def __init__(self, index: Index, reading: Reading, suspend: Callable[[], None] = lambda: None) -> None:
        self._index, self._reading, self._give_way = index, reading, suspend
        self._searcher = Searcher(index)

    def memory(self, id: str) -> Memory | None:
        """See `Known`."""
        self._give_way()
        item = find(self._reading, id)
        return item.memory if item else None

    def facts(self, owner: str, subject: str) -> Iterator[tuple[str, Memory]]:
        """See `Known`."""
        self._give_way()
        for item in with_terms(self._reading, subject_term(subject)):
            if item.content.owner == owner:
                yield item.id, item.memory

    def tagged(self, owner: str, tags: tuple[str, ...]) -> list[Item]:
        """See `Known`."""
        self._give_way()
        found = with_terms(self._reading, *map(tag_term, tags))
        return [item for item in found if item.content.owner == owner]

    def session(self, owner: str, session: str, position: int) -> list[Item]:
        """See `Known`. Episodes that were summed up say where they begin."""
        self._give_way()
        summaries = [item for item in self._of_session(session, "summary") if item.content.owner == owner]
        begins = max((i.content.position for i in summaries if i.content.position <= position), default=0)
        return [
            item
            for item in self._of_session(session, "raw")
            if item.content.owner == owner and item.content.position >= begins
        ]

    def similar(self, item: Item) -> list[Item]:
        """See `Known`."""
        self._give_way()
        content = item.content
        wanted = Filter(owner=content.owner, kinds=(content.kind,))
        ranking, _ = self._searcher.rank(self._reading, content.text, wanted)
        found = (item_at(self._reading, int(number)) for number in ranking.numbers[:_SIMILAR])
        return [one for one in found if one is not None and one.id != item.id and one.content.owner == content.owner]

    def _of_session(self, session: str, kind: Kind) -> list[Item]:
        index = self._index
        with index.lock:
            columns = index.columns
            number = columns.sessions.find(session)
            mask = columns.session[: columns.count] == number
            mask &= columns.kind[: columns.count] == KINDS.index(kind)
            mask &= columns.alive[: columns.count] & (number >= 0)
        items = (item_at(self._reading, int(at)) for at in np.flatnonzero(mask))
        return [item for item in items if item is not None]
