"""The search: candidates by words, concepts and vectors, one pool, one ranking."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from clawactors.memory.index import Index
from clawactors.memory.index.columns import NONE
from clawactors.memory.index.index import EXACT_LIMIT
from clawactors.memory.index.item import Item, text_of
from clawactors.memory.index.postings import Numbers
from clawactors.memory.index.rows import find, item_at
from clawactors.memory.index.top import best_of, top
from clawactors.memory.recall.filter import Filter, admitted
from clawactors.memory.recall.fusion import FEATURES, WEIGHTS, features
from clawactors.memory.recall.hit import Hit
from clawactors.memory.recall.lexical import CONCEPTS, WORDS, Term, bm25, coverage, terms_of_query
from clawactors.memory.recall.relevance import THRESHOLD, relevance
from clawactors.memory.recall.speaker import SpeakerFinder
from clawactors.memory.text.date import day_of, mentioned_days
from clawactors.memory.text.excerpt import excerpt
from clawactors.memory.text.normal import clean
from clawactors.memory.text.term import is_unspaced
from clawactors.projections.engine.store import Reading

__all__ = ["QUERY_LIMIT", "Evidence", "Ranking", "Searcher"]

QUERY_LIMIT: Final = 2000
"""Characters of a query that count."""

_POOL_ALL: Final = 1024
_POOL_EACH: Final = 128
_NEIGHBOURS_OF: Final = 32
_JUDGED: Final = 64
_WEAK: Final = 3
_NOTHING: Final = Filter()

type Mask = npt.NDArray[np.bool_]
type Scores = npt.NDArray[np.float32]


type Evidence = tuple[Scores, Scores, Scores]
"""What a relevance follows from: shares of words and concepts covered, fused score."""


class Ranking(msgspec.Struct, frozen=True):
    """The items of a pool, best first; evidence and relevance of the first ones only."""

    numbers: Numbers
    features: Scores
    evidence: Evidence
    relevances: Scores


class Searcher:
    """Searches one index. Safe to call from several threads."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self._speakers = SpeakerFinder(index.columns.speakers)

    def search(
        self,
        text: str,
        limit: int = 5,
        wanted: Filter = _NOTHING,
        threshold: float = THRESHOLD,
        now_ns: int = 0,
    ) -> list[Hit]:
        """The best memories, best first. None reaches the threshold: the best few, marked weak.

        `now_ns` is what words like «yesterday» count from, 0 for the newest memory's time.
        """
        with self.index.store.snapshot() as reading:
            ranking, terms = self.rank(reading, text, wanted, now_ns, max(limit, _JUDGED))
            kept = np.flatnonzero(ranking.relevances >= threshold)[:limit]
            weak = not len(kept)
            if weak:
                kept = np.arange(min(limit, _WEAK, len(ranking.numbers)))
            weights = {term.text: term.idf for term in terms}
            hits = []
            for place in kept.tolist():
                item = item_at(reading, int(ranking.numbers[place]))
                if item is not None and item.memory.content is not None:
                    shown = excerpt(item.content.text, weights, self.index.lexicon.analyzer.terms)
                    score = round(float(ranking.relevances[place]), 4)
                    hits.append(_hit(item, score, weak, shown, _parts(ranking.features[place])))
            return hits

    def similar(self, id: str, limit: int = 5, wanted: Filter = _NOTHING) -> list[Hit]:
        """The memories most like this one, say, tasks like a task; none where there is no such memory."""
        with self.index.store.snapshot() as reading:
            item = find(reading, id)
        if item is None or item.memory.content is None:
            return []
        hits = self.search(text_of(item), limit + 1, wanted, threshold=0.0, now_ns=item.content.happened_ns)
        return [hit for hit in hits if hit.id != id][:limit]

    def newest(self, limit: int = 5, wanted: Filter = _NOTHING) -> list[Hit]:
        """The newest memories, newest first; with `since_ns` and `until_ns` those of any window. Each counts as 1."""
        with self.index.store.snapshot() as reading:
            with self.index.lock:
                columns = self.index.columns
                admits = np.flatnonzero(admitted(self.index, reading, wanted))
                order = np.lexsort((admits, columns.at_ns[admits]))[::-1][:limit]
                numbers = admits[order]
            found = (item_at(reading, int(number)) for number in numbers)
            return [_hit(item, 1.0, False, item.content.text, {}) for item in found if item and item.memory.content]

    def rank(
        self, reading: Reading, text: str, wanted: Filter = _NOTHING, now_ns: int = 0, judged: int = _JUDGED
    ) -> tuple[Ranking, list[Term]]:
        """All items of the pool, best first, and the query's terms. The first `judged` get a relevance."""
        text = clean(text[:QUERY_LIMIT])
        index = self.index
        with index.lock:
            columns = index.columns
            mask = None if wanted == _NOTHING else admitted(index, reading, wanted)
            words = terms_of_query(reading, columns, index.lexicon.analyzer.terms(text))
            concepts = terms_of_query(reading, columns, index.lexicon.concepts.concepts(text))
            by_words, by_concepts = bm25(words, columns, WORDS), bm25(concepts, columns, CONCEPTS)
            idf = {term.text: term.idf for term in (*words, *concepts)}
            query = index.embedder.query(text, lambda term: idf.get(term, 0.0))
            pool = self._pool(mask, by_words, by_concepts, query)
            # A longer item says more; the root keeps it from winning by length alone.
            similarities = index.vectors.similarities(query, pool)
            similarities *= np.sqrt(index.vectors.lengths[pool])
            today = day_of(now_ns or columns.newest_ns)
            rows = features(
                columns,
                pool,
                by_words,
                by_concepts,
                similarities,
                self._speakers.mentioned(text),
                mentioned_days(text, today),
                unspaced := is_unspaced(text),
            )
            before, after = columns.before[pool], columns.after[pool]
        fused = rows @ np.array([WEIGHTS[name] for name in FEATURES], np.float32)
        # A tie goes to the older one: the order is the same in every run.
        order = np.lexsort((pool, -fused))
        first = order[:judged]
        near = (pool[first], before[first], after[first])
        evidence = (_covered(words, *near), _covered(concepts, *near), fused[first])
        return Ranking(pool[order], rows[order], evidence, relevance(*evidence, unspaced)), words

    def _pool(self, mask: Mask | None, by_words: Scores, by_concepts: Scores, query: Scores) -> Numbers:
        """The items that are compared in full: all of a small set, else the best by each way and their neighbours."""
        columns = self.index.columns
        admits = columns.living if mask is None else int(np.count_nonzero(mask))
        if admits <= _POOL_ALL:
            return columns.living_numbers() if mask is None else np.flatnonzero(mask)
        if mask is not None:
            by_words, by_concepts = by_words[:-1] * mask, by_concepts[:-1] * mask
        best = [top(scores, _POOL_EACH) for scores in (by_words, by_concepts)]
        first = np.concatenate(
            [
                best_of(scores[found], found, _NEIGHBOURS_OF)
                for scores, found in zip((by_words, by_concepts), best, strict=True)
            ]
        )
        near = np.concatenate((columns.before[first], columns.after[first])).astype(np.int64)
        near = near[near != NONE]
        if mask is not None:
            near = near[mask[near]]
        pool: Numbers = np.unique(np.concatenate((*best, self._nearest(mask, admits, query), near)))
        return pool

    def _nearest(self, mask: Mask | None, admits: int, query: Scores) -> Numbers:
        """The nearest items: exact among few or strongly filtered ones, else by the graph."""
        index = self.index
        if mask is None:
            return index.nearest(query, _POOL_EACH)
        share = admits / index.columns.living
        if admits > EXACT_LIMIT and share > 0.25:
            found = index.nearest(query, round(_POOL_EACH / share))
            found = found[mask[found]]
            if len(found) >= _POOL_EACH // 2:
                return found
        candidates = np.flatnonzero(mask)
        return best_of(index.vectors.similarities(query, candidates), candidates, _POOL_EACH)


def _hit(item: Item, score: float, weak: bool, shown: str, parts: dict[str, float]) -> Hit:
    content = item.content
    return Hit(
        id=item.id,
        kind=content.kind,
        text=content.text,
        excerpt=shown,
        score=score,
        weak=weak,
        owner=content.owner,
        speaker=content.speaker,
        session=content.session,
        tags=content.tags,
        at_ns=content.happened_ns,
        sources=item.sources,
        parents=content.parents,
        count=item.memory.count,
        fact=content.fact,
        parts=parts,
    )


def _parts(row: Scores) -> dict[str, float]:
    """What a rank is made of, without what adds nothing."""
    return {name: round(float(row[nth]) * WEIGHTS[name], 4) for nth, name in enumerate(FEATURES) if row[nth]}


def _covered(
    terms: Sequence[Term], pool: Numbers, before: npt.NDArray[np.int32], after: npt.NDArray[np.int32]
) -> Scores:
    """The share of the query that an item covers; what only a neighbour covers counts half."""
    own, earlier, later = coverage(terms, np.concatenate((pool, before, after))).reshape(3, len(pool))
    covered: Scores = np.maximum(own, np.float32(0.5) * (own + np.maximum(earlier, later)))
    return covered
