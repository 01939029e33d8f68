"""BM25 over postings, for words and for concepts."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from clawactors.memory.index.columns import Columns
from clawactors.memory.index.postings import Numbers, beginning_with, lookup
from clawactors.memory.recall.demand import Demand
from clawactors.memory.text.spelling import PREFIX, likeness
from clawactors.projections.engine.store import Reading

__all__ = ["CONCEPTS", "WORDS", "Scale", "Term", "bm25", "terms_of_query", "with_forms"]

type Scores = npt.NDArray[np.float32]

_COMMON: Final = 0.2
"""A term in a greater share of the items is common: BM25 skips it, because it discriminates too little for its cost."""
_FORMS_MAX: Final = 64
_COMMON_FROM: Final = 20_000


class Scale(msgspec.Struct, frozen=True):
    """The parameters of BM25: saturation of repeats (`k1`) and length normalization (`b`)."""

    k1: float
    b: float


WORDS: Final = Scale(1.2, 0.75)
CONCEPTS: Final = Scale(0.8, 0.3)


class Term(msgspec.Struct, frozen=True):
    """A term of a query with its postings."""

    text: str
    idf: float
    numbers: Numbers
    counts: Scores
    common: bool = False


def terms_of_query(reading: Reading, columns: Columns, texts: Iterable[str]) -> list[Term]:
    """The distinct terms of a query. Call it under the index's lock."""
    found = []
    total = max(columns.living, 1)
    for text in dict.fromkeys(texts):
        numbers, counts = lookup(reading, text)
        frequency = min(len(numbers), total)
        idf = math.log(1 + (total - frequency + 0.5) / (frequency + 0.5))
        if len(numbers) and numbers[-1] >= columns.count:  # already in the rows, not yet in the index
            indexed = numbers < columns.count
            numbers, counts = numbers[indexed], counts[indexed]
        common = total > _COMMON_FROM and frequency > _COMMON * total
        found.append(Term(text, idf, numbers, counts, common))
    return found


def bm25(terms: Iterable[Term], columns: Columns, scale: Scale) -> Scores:
    """The scores by item number, with an additional last zero that the index `NONE` (-1) selects."""
    scores = np.zeros(columns.count + 1, np.float32)
    slope = scale.k1 * scale.b / columns.mean_terms
    offset = scale.k1 * (1 - scale.b)
    for term in terms:
        if term.common:
            continue
        counts = term.counts
        damping = columns.terms[term.numbers] * np.float32(slope) + np.float32(offset)
        scores[term.numbers] += counts / (counts + damping) * np.float32(term.idf * (scale.k1 + 1))
    return scores


def with_forms(
    reading: Reading, asked: Sequence[Demand], best: Numbers, holders: Callable[[str], Numbers]
) -> list[Demand]:
    """The demands with the forms and misspellings that the memory knows of words which none of the best items holds."""
    found = []
    for one in asked:
        stem = next(iter(one.any), "")
        if one.kind in ("word", "name") and len(stem) > PREFIX and stem.isascii() and stem.isalpha():
            if np.isin(best, holders(stem)).any():
                found.append(one)
                continue
            known = beginning_with(reading, stem[:PREFIX], _FORMS_MAX)
            similar = {term: likeness(stem, term, named=one.kind == "name") for term in known}
            forms = {term: share for term, share in similar.items() if 0 < share < 1}
            if forms:
                one = msgspec.structs.replace(one, any={**forms, **one.any})
        found.append(one)
    return found
