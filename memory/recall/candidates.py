"""The pool of a search: the best by words, by concepts, by vectors and by a model, and what stands beside them."""

from typing import Final

import numpy as np
import numpy.typing as npt

from clawactors.memory.index import Index
from clawactors.memory.index.columns import NONE
from clawactors.memory.index.index import EXACT_LIMIT
from clawactors.memory.index.postings import Numbers
from clawactors.memory.index.top import best_of, top
from clawactors.memory.models.serving import MeantQuestion

__all__ = ["candidates"]

_POOL_ALL: Final = 1024
_POOL_EACH: Final = 128
_NEIGHBOURS_OF: Final = 32

type Mask = npt.NDArray[np.bool_]
type Scores = npt.NDArray[np.float32]


def candidates(
    index: Index, mask: Mask | None, by_words: Scores, by_concepts: Scores, query: Scores, meant: MeantQuestion | None
) -> Numbers:
    """The numbers of the items to rank: all of a small set, else the best by each score and their neighbours.

    Call it under the lock of the index.
    """
    columns = index.columns
    count = columns.living if mask is None else int(np.count_nonzero(mask))
    if count <= _POOL_ALL:
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
    if meant:
        best.append(meant.meanings.nearest(meant.vector, _POOL_EACH, columns, mask))
    pool: Numbers = np.unique(np.concatenate((*best, _nearest(index, mask, count, query), near)))
    return pool


def _nearest(index: Index, mask: Mask | None, count: int, query: Scores) -> Numbers:
    """The nearest items: exact for a small or strongly filtered set, else from the graph."""
    if mask is None:
        return index.nearest(query, _POOL_EACH)
    share = count / index.columns.living
    if count > EXACT_LIMIT and share > 0.25:
        found = index.nearest(query, round(_POOL_EACH / share))
        found = found[mask[found]]
        if len(found) >= _POOL_EACH // 2:
            return found
    candidates = np.flatnonzero(mask)
    return best_of(index.vectors.similarities(query, candidates), candidates, _POOL_EACH)
