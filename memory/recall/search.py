"""The search: candidates by words, by concepts and by vectors form one pool, which is ranked once."""

from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from clawactors.memory.index import Index
from clawactors.memory.index.postings import Numbers, lookup
from clawactors.memory.index.rows import find, item_at
from clawactors.memory.index.terms import searched_text
from clawactors.memory.item import Item
from clawactors.memory.models.serving import ServedModels
from clawactors.memory.recall.candidates import candidates
from clawactors.memory.recall.changed import changed
from clawactors.memory.recall.current import in_order, successor
from clawactors.memory.recall.decided import decisions_first
from clawactors.memory.recall.evidence import THRESHOLD, around, beyond_words, evidence, relevance
from clawactors.memory.recall.filter import MemoryFilter, matching, passing_of, readable
from clawactors.memory.recall.fusion import FEATURES, WEIGHTS, features
from clawactors.memory.recall.hit import Hit, hit_of
from clawactors.memory.recall.lexical import CONCEPTS, WORDS, Term, bm25, terms_of_query, with_forms
from clawactors.memory.recall.question import demands
from clawactors.memory.recall.routes import AskedQuestion, FoundHit, answers
from clawactors.memory.recall.speaker import NameFinder
from clawactors.memory.text.calendar import offset_ns
from clawactors.memory.text.date import UTC, Zone, day_of, mentioned_days
from clawactors.memory.text.excerpt import excerpt
from clawactors.memory.text.normal import clean
from clawactors.projections.engine.store import Reading

__all__ = ["QUERY_LIMIT", "RankedItems", "Searcher"]

QUERY_LIMIT: Final = 2000
"""Characters of a query; the rest is ignored."""

_JUDGED: Final = 64
_BEST: Final = 4
_RERANKED: Final = 20
_WEAK: Final = 3
_NEAR: Final = 8
_EVERYTHING: Final = MemoryFilter()

type Scores = npt.NDArray[np.float32]


class RankedItems(msgspec.Struct, frozen=True):
    """The items of a pool, best first; `evidence` and `relevances` exist only for the first of them."""

    numbers: Numbers
    features: Scores
    evidence: Scores
    relevances: Scores


class Searcher:
    """Searches one index. Thread-safe."""

    def __init__(self, index: Index, models: ServedModels | None = None) -> None:
        self.index, self.models = index, models
        self._speakers = NameFinder(index.columns.speakers)
        self._owners = NameFinder(index.columns.owners)

    def search(
        self,
        text: str,
        limit: int = 5,
        filter: MemoryFilter = _EVERYTHING,
        threshold: float = THRESHOLD,
        now_ns: int = 0,
        zone: Zone = UTC,
        locale: str = "",
        skill: str = "",
        goal: str = "",
    ) -> list[Hit]:
        """The most relevant memories, best first. If none reaches the threshold: the best three, marked weak.

        `now_ns` is the reference for words like «yesterday» in that zone; 0 stands for the time of the newest memory.
        `locale` tells how to read `5/6/2026`; what tasks of the asking `skill` met stands first of what answers alike,
        and what tasks met that were about the same as its `goal` is found too.
        """
        most, terms = max(limit, _JUDGED), self.index.lexicon.analyzer.terms
        asked = AskedQuestion(text, filter, now_ns or self.index.columns.newest_ns, zone, locale, skill, goal)
        weights: dict[str, float] = {}
        near: list[Item] = []
        with self.index.store.snapshot() as reading:

            def ranked(text: str, filter: MemoryFilter) -> list[FoundHit]:
                return self._found(reading, text, most, filter, threshold, asked, weights, near)

            def newest(filter: MemoryFilter) -> Iterator[Item]:
                return self._newest(reading, most, filter)

            passing = passing_of(self.index, reading, filter)

            def hit_for(item: Item, outdated: Hit) -> Hit | None:
                return hit_of(item, outdated.score, outdated.weak, "", {}) if passing(item) else None

            found = answers(reading, asked, ranked, newest, passing)
            hits = in_order(found, changed(reading, text, found, near, terms, successor), hit_for)
        best = self._reranked(text, hits)[:limit]
        return [hit if hit.excerpt else replace(hit, excerpt=excerpt(hit.text, weights, terms)) for hit in best]

    def _reranked(self, text: str, hits: list[Hit]) -> list[Hit]:
        """The best hits in the order of a model, which may take its time; what is outdated keeps its place below.

        The scores stay as they are, down the list: a model orders, it does not judge what is an answer.
        """
        if self.models is None or self.models.reranker is None:
            return hits
        places = [place for place, hit in enumerate(hits[:_RERANKED]) if not hit.superseded_by]
        order = self.models.order(text, [hits[place].text for place in places])
        found = list(hits)
        for place, best in zip(places, order, strict=True):
            found[place] = replace(hits[places[best]], score=hits[place].score)
        return found

    def _found(
        self,
        reading: Reading,
        text: str,
        limit: int,
        filter: MemoryFilter,
        threshold: float,
        asked: AskedQuestion,
        weights: dict[str, float],
        near: list[Item],
    ) -> list[FoundHit]:
        """The ranked items that reach the threshold, else the best three, marked weak; without excerpts.

        It adds the rarity of the terms to `weights`, and what follows below the threshold to `near`.
        """
        ranked, terms = self.rank(reading, text, filter, asked.now_ns, limit, asked.zone, asked.locale)
        places = np.flatnonzero(ranked.relevances >= threshold)[:limit]
        weak = not len(places)
        if weak:
            places = np.arange(min(limit, _WEAK, len(ranked.numbers)))
        else:
            below = np.flatnonzero(ranked.relevances < threshold)[:_NEAR]
            near += [item for at in below.tolist() if (item := item_at(reading, int(ranked.numbers[at])))]
        weights |= {term.text: term.idf for term in terms}
        hits = []
        for place in places.tolist():
            item = item_at(reading, int(ranked.numbers[place]))
            if item is not None and item.memory.content is not None:
                score = round(float(ranked.relevances[place]), 4)
                hits.append((item, hit_of(item, score, weak, "", _parts(ranked.features[place]))))
        return decisions_first(text, hits)

    def similar(self, id: str, limit: int = 5, filter: MemoryFilter = _EVERYTHING) -> list[Hit]:
        """The memories most similar to this one; empty for an unknown or forgotten memory."""
        with self.index.store.snapshot() as reading:
            item = find(reading, id)
        if item is None or item.memory.content is None:
            return []
        hits = self.search(searched_text(item), limit + 1, filter, threshold=0.0, now_ns=item.content.happened_ns)
        return [hit for hit in hits if hit.id != id][:limit]

    def newest(self, limit: int = 5, filter: MemoryFilter = _EVERYTHING) -> list[Hit]:
        """The newest memories, newest first; `since_ns` and `until_ns` select a window. Each has the score 1."""
        with self.index.store.snapshot() as reading:
            items = self._newest(reading, limit, filter)
            return [hit_of(item, 1.0, False, item.content.text, {}) for item in items]

    def _newest(self, reading: Reading, limit: int, filter: MemoryFilter) -> Iterator[Item]:
        with self.index.lock:
            columns = self.index.columns
            candidates = np.flatnonzero(matching(self.index, reading, filter))
            order = np.lexsort((candidates, columns.at_ns[candidates]))[::-1][:limit]
            numbers = candidates[order]
        found = (item_at(reading, int(number)) for number in numbers)
        return (item for item in found if item and item.memory.content)

    def rank(
        self,
        reading: Reading,
        text: str,
        filter: MemoryFilter = _EVERYTHING,
        now_ns: int = 0,
        judged: int = _JUDGED,
        zone: Zone = UTC,
        locale: str = "",
    ) -> tuple[RankedItems, list[Term]]:
        """All items of the pool, best first, and the query's terms. Only the first `judged` items get a relevance."""
        text = clean(text[:QUERY_LIMIT])
        index = self.index
        # Before the lock: a model may take its time.
        meant = self.models.question(text) if self.models else None
        with index.lock:
            columns = index.columns
            allowed = readable(columns, filter)
            mask = None if filter == _EVERYTHING else matching(index, reading, filter)
            words = terms_of_query(reading, columns, index.lexicon.analyzer.terms(text))
            concepts = terms_of_query(reading, columns, index.lexicon.concepts.concepts(text))
            by_words, by_concepts = bm25(words, columns, WORDS), bm25(concepts, columns, CONCEPTS)
            idf = {term.text: term.idf for term in (*words, *concepts)}
            query = index.embedder.query(text, lambda term: idf.get(term, 0.0))
            retrieve = (self.models and self.models.retriever) or candidates
            pool = retrieve(index, mask, by_words, by_concepts, query, meant)
            # A longer item holds more information; the square root keeps length alone from winning.
            similarities = index.vectors.similarities(query, pool)
            similarities *= np.sqrt(index.vectors.lengths[pool])
            now_ns = now_ns or columns.newest_ns
            today, offset = day_of(now_ns, zone), offset_ns(zone, now_ns)
            owners = self._owners.mentioned(text)
            days = mentioned_days(text, today, locale)
            speakers = self._speakers.mentioned(text)
            rows = features(
                columns,
                pool,
                by_words,
                by_concepts,
                similarities,
                speakers,
                owners,
                days,
                offset,
                meant.similarities(pool) if meant else None,
                allowed,
            )
            fused = rows @ np.array([WEIGHTS[name] for name in FEATURES], np.float32)
            # The older item wins a tie, so the order is deterministic.
            order = np.lexsort((pool, -fused))
            first = order[:judged]
            places = around(columns, pool[first], allowed)
            asked = demands(text, index.lexicon, today, locale)
            extra = beyond_words(asked, rows[first], columns.owner[pool[first]], self._owners)
        known = {term.text: term.numbers for term in (*words, *concepts)}

        def holders(term: str) -> Numbers:
            found = known.get(term)
            if found is None:
                found = known[term] = lookup(reading, term)[0]
            return found

        asked = with_forms(reading, asked, pool[first[:_BEST]], holders)
        judged_evidence = evidence(asked, places, holders, extra, fused[first])
        relevances = relevance(judged_evidence)
        again = np.lexsort((np.arange(len(first)), -relevances))
        order[:judged] = first[again]
        return RankedItems(pool[order], rows[order], judged_evidence[again], relevances[again]), words


def _parts(row: Scores) -> dict[str, float]:
    """The weighted features of a rank, without those that are zero."""
    return {name: round(float(row[nth]) * WEIGHTS[name], 4) for nth, name in enumerate(FEATURES) if row[nth]}
