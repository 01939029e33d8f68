"""Memory as it was at a past moment: searched, shown, listed and counted, over rows of that moment.

1. What was forgotten or erased since is not answered: it is gone from the past too.
2. Rights are those of today. Vectors are compared exactly, and meanings of models are not used.
"""

import asyncio
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from clawactors.eventlog import EventLog
from clawactors.kernel.errors import InvalidQuery, NotFound
from clawactors.memory.index.embedding import HashedEmbedder
from clawactors.memory.index.index import Index
from clawactors.memory.process import questions as q
from clawactors.memory.process import reading
from clawactors.memory.process.access import Access
from clawactors.memory.process.replies import Reply
from clawactors.memory.process.store import MemoryStore
from clawactors.memory.recall import Searcher
from clawactors.projections.engine.store import Store
from clawactors.projections.live import LiveViews
from clawactors.projections.moment import moment_at
from clawactors.projections.past import FOLDER, BuildViews, PastViews

__all__ = ["PastMemory", "past_of"]

_ASKED: Final = (q.SearchQuestion, q.ShowQuestion, q.ExportQuestion, q.StatsQuestion)


class _StillViews(msgspec.Struct):
    store: Store
    position: int


class _StillStore(MemoryStore):
    """What can be read of a store that nobody writes."""

    def __init__(self, store: Store, position: int, live: MemoryStore) -> None:
        self.views = cast("LiveViews", _StillViews(store, position))
        self.lexicon, self.precedence, self.meanings = live.lexicon, live.precedence, live.meanings
        embedder = HashedEmbedder(self.lexicon)
        self.index = Index(store, embedder, self.lexicon, Path(store.path) / "no-graph")
        self.searcher = Searcher(self.index)


class PastMemory:
    """Answers for one log; `past` has the rows. The index of the moment that was asked about last is kept."""

    def __init__(self, log: EventLog, past: PastViews) -> None:
        self._log, self._past = log, past
        self._still: _StillStore | None = None
        self._loading = asyncio.Lock()

    async def reply(self, question: q.MemoryQuestion, access: Access, live: MemoryStore) -> Reply:
        """The answer as of the moment that the question names.

        Raises: `InvalidQuery` where the past can't be asked that, or the log has no such moment; `Building`.
        """
        if not isinstance(question, _ASKED) or isinstance(question, q.ContextQuestion):
            raise InvalidQuery("the past of memory can be searched, shown, exported and counted, nothing else")
        moment = await moment_at(self._log, question.at_seq, question.at_time_ns)
        async with self._past.store_at(moment) as store:
            async with self._loading:
                still = self._still
                if still is None or still.views.store is not store:
                    still = self._still = await asyncio.to_thread(_StillStore, store, moment.seq, live)
            found = await asyncio.to_thread(_answer, still, question, access, moment.at_ns, live)
        return found | {"position": moment.seq}


def past_of(store: MemoryStore, log: EventLog, build: BuildViews | None) -> PastMemory | None:
    """The past of that store, emptied when it is built again; None where nobody can `build` rows."""
    if build is None:
        return None
    views = store.views
    views.past = PastViews(log, store.folder / FOLDER, views.feed.projector.projection, build)
    return PastMemory(log, views.past)


def _answer(still: _StillStore, question: q.MemoryQuestion, access: Access, at_ns: int, live: MemoryStore) -> Reply:
    match question:
        case q.SearchQuestion():
            found = reading.search(still, question, access, at_ns)
            return found | {"rows": [row for row in found["rows"] if _is_kept(row["id"], live)]}
        case q.ShowQuestion():
            if not _is_kept(question.id, live):
                raise NotFound(f"there was no memory {question.id!r} then, or it is forgotten")
            return reading.show(still, question, access, at_ns)
        case q.ExportQuestion():
            found = reading.export(still, question, access, at_ns)
            rows: list[Any] = [row for row in found["rows"] if _is_kept(msgspec.json.decode(row)["id"], live)]
            return found | {"rows": rows}
        case _:
            return reading.counts(still, access)


def _is_kept(id: str, live: MemoryStore) -> bool:
    item = live.item(id)
    return item is not None and item.memory.status != "forgotten"
