"""Selects the greatest of many scores without sorting them."""

from typing import Final

import numpy as np
import numpy.typing as npt

from clawactors.memory.index.postings import Numbers

__all__ = ["best_of", "top"]

type Scores = npt.NDArray[np.float32]

_BLOCK: Final = 64


def best_of(scores: Scores, numbers: Numbers, k: int) -> Numbers:
    """The numbers of the `k` greatest scores, unordered; all of them if there are no more than `k`."""
    if len(scores) <= k:
        return numbers
    best: Numbers = numbers[np.argpartition(-scores, k)[:k]]
    return best


def top(scores: Scores, k: int) -> Numbers:
    """The positions of the `k` greatest scores above zero, unordered."""
    blocks = len(scores) // _BLOCK
    bound = 0.0
    if blocks > k:
        # The k-th greatest of the blocks' maxima is not above the k-th greatest score.
        maxima = scores[: blocks * _BLOCK].reshape(blocks, _BLOCK).max(axis=1)
        bound = float(np.partition(maxima, blocks - k)[blocks - k])
    places: Numbers = np.flatnonzero(scores >= bound if bound > 0 else scores > 0)
    return best_of(scores[places], places, k)
