"""BM25 over postings, for words and for concepts."""

import math
from collections.abc import Iterable
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from clawactors.memory.index.columns import Columns
from clawactors.memory.index.postings import Numbers, lookup
from clawactors.projections.engine.store import Reading

__all__ = ["CONCEPTS", "WORDS", "Scale", "Term", "bm25", "coverage", "terms_of_query"]

type Scores = npt.NDArray[np.float32]

_COMMON: Final = 0.2
"""A term that more of the items have says too little for what adding it costs."""
_COMMON_FROM: Final = 20_000


class Scale(msgspec.Struct, frozen=True):
    """How fast repeats stop counting (`k1`), and how much longer items are held back (`b`)."""

    k1: float
    b: float


WORDS: Final = Scale(1.2, 0.75)
CONCEPTS: Final = Scale(0.8, 0.3)


class Term(msgspec.Struct, frozen=True):
    """A term of a query, and where it stands in the index."""

    text: str
    idf: float
    numbers: Numbers
    counts: Scores


def terms_of_query(reading: Reading, columns: Columns, texts: Iterable[str]) -> list[Term]:
    """Each different term once. Call under the index's lock."""
    found = []
    total = max(columns.living, 1)
    for text in dict.fromkeys(texts):
        numbers, counts = lookup(reading, text)
        frequency = min(len(numbers), total)
        idf = math.log(1 + (total - frequency + 0.5) / (frequency + 0.5))
        if total > _COMMON_FROM and frequency > _COMMON * total:
            numbers, counts = numbers[:0], counts[:0]
        elif len(numbers) and numbers[-1] >= columns.count:  # written, but not yet taken in
            kept = numbers < columns.count
            numbers, counts = numbers[kept], counts[kept]
        found.append(Term(text, idf, numbers, counts))
    return found


def bm25(terms: Iterable[Term], columns: Columns, scale: Scale) -> Scores:
    """A score by item number, with a zero behind the last: what `NONE` points at."""
    scores = np.zeros(columns.count + 1, np.float32)
    slope = scale.k1 * scale.b / columns.mean_terms
    offset = scale.k1 * (1 - scale.b)
    for term in terms:
        counts = term.counts
        held_back = columns.terms[term.numbers] * np.float32(slope) + np.float32(offset)
        scores[term.numbers] += counts / (counts + held_back) * np.float32(term.idf * (scale.k1 + 1))
    return scores


def coverage(terms: Iterable[Term], numbers: Numbers) -> Scores:
    """Which share of the query's weight each of these items has, 0..1."""
    total = 0.0
    covered = np.zeros(len(numbers), np.float32)
    for term in terms:
        total += term.idf
        if len(term.numbers):
            places = np.minimum(np.searchsorted(term.numbers, numbers), len(term.numbers) - 1)
            covered += (term.numbers[places] == numbers) * np.float32(term.idf)
    return covered / np.float32(total or 1.0)
