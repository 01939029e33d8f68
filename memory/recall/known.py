"""What consolidation needs to know about existing memories, read from the index."""

from collections.abc import Callable, Iterator

import numpy as np

from clawactors.memory.index import Index
from clawactors.memory.index.rows import find, item_at, with_terms
from clawactors.memory.index.terms import object_term, subject_term, tag_term
from clawactors.memory.item import KINDS, Item
from clawactors.memory.recall.filter import MemoryFilter
from clawactors.memory.recall.search import Searcher
from clawactors.memory.text.date import ANYWHERE, DateReader
from clawactors.projections.engine.store import Reading
from clawactors.systems.memories import Kind, Memory

__all__ = ["KnownIndex"]

_SIMILAR = 8


class KnownIndex:
    """Implements `KnownMemories` on a snapshot of the index's store. `suspend` is called before each read."""

    def __init__(
        self,
        index: Index,
        reading: Reading,
        suspend: Callable[[], None] = lambda: None,
        dates_of: Callable[[str], DateReader] = lambda owner: ANYWHERE,
    ) -> None:
        self._index, self._reading, self._suspend, self._dates_of = index, reading, suspend, dates_of
        self._searcher = Searcher(index)

    def memory(self, id: str) -> Memory | None:
        """See `KnownMemories`."""
        self._suspend()
        item = find(self._reading, id)
        return item.memory if item else None

    def facts(self, owner: str, subject: str) -> Iterator[tuple[str, Memory]]:
        """See `KnownMemories`."""
        yield from self._with_term(owner, subject_term(subject))

    def facts_on(self, owner: str, object: str) -> Iterator[tuple[str, Memory]]:
        """See `KnownMemories`."""
        yield from self._with_term(owner, object_term(object))

    def _with_term(self, owner: str, term: str) -> Iterator[tuple[str, Memory]]:
        self._suspend()
        for item in with_terms(self._reading, term):
            if item.content.owner == owner:
                yield item.id, item.memory

    def dates(self, owner: str) -> DateReader:
        """See `KnownMemories`."""
        return self._dates_of(owner)

    def tagged(self, owner: str, tags: tuple[str, ...]) -> list[Item]:
        """See `KnownMemories`."""
        self._suspend()
        found = with_terms(self._reading, *map(tag_term, tags))
        return [item for item in found if item.content.owner == owner]

    def session(self, owner: str, session: str, position: int) -> list[Item]:
        """See `KnownMemories`. The summaries of earlier episodes mark where each episode begins."""
        self._suspend()
        summaries = [item for item in self._of_session(session, "summary") if item.content.owner == owner]
        begins = max((i.content.position for i in summaries if i.content.position <= position), default=0)
        return [
            item
            for item in self._of_session(session, "raw")
            if item.content.owner == owner and item.content.position >= begins
        ]

    def similar(self, item: Item) -> list[Item]:
        """See `KnownMemories`."""
        self._suspend()
        content = item.content
        filter = MemoryFilter(owner=content.owner, kinds=(content.kind,))
        ranked, _ = self._searcher.rank(self._reading, content.text, filter)
        found = (item_at(self._reading, int(number)) for number in ranked.numbers[:_SIMILAR])
        return [
            one
            for one in found
            if one and one.memory.searched and one.id != item.id and one.content.owner == content.owner
        ]

    def _of_session(self, session: str, kind: Kind) -> list[Item]:
        index = self._index
        with index.lock:
            columns = index.columns
            number = columns.sessions.find(session)
            mask = columns.session[: columns.count] == number
            mask &= columns.kind[: columns.count] == KINDS.index(kind)
            mask &= columns.alive[: columns.count] & (number >= 0)
        items = (item_at(self._reading, int(at)) for at in np.flatnonzero(mask))
        # The index may be behind the snapshot, which knows of a forgetting already, or ahead of it.
        return [item for item in items if item is not None and item.memory.searched]
