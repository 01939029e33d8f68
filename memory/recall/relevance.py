"""The calibrated relevance: what a rank within one search can't say, comparable between searches.

A logistic of how much of the question's weight the item and its neighbours cover, in words and in concepts, and of the
fused score. It was fitted (`benchmarks/memory_tuning.py`) on true answers against what questions find in a memory that
knows nothing of the matter; 0.7 keeps nine of ten true answers among the first twenty.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["COEFFICIENTS", "THRESHOLD", "relevance"]

THRESHOLD: Final = 0.7

type Scores = npt.NDArray[np.float32]

COEFFICIENTS: Final[tuple[float, ...]] = (-1.23, 0.57, 4.02, 1.17, 0.46)
"""Constant; what is added in scripts without spaces, where pairs of characters cover less; then one a feature: share of
words covered, share of concepts covered, fused score."""


def relevance(words: Scores, concepts: Scores, fused: Scores, unspaced: bool) -> Scores:
    """One value in 0..1 an item."""
    constant, added, *weights = COEFFICIENTS
    columns = np.stack((words, concepts, fused))
    steep: Scores = np.asarray(weights, np.float32) @ columns + np.float32(constant + added * unspaced)
    chance: Scores = (1 / (1 + np.exp(-np.clip(steep, -30, 30)))).astype(np.float32)
    return chance
