"""The rank of items: a weighted sum of standardised scores and of what is known about who, when and where.

The weights are what holds for texts of any kind: fitted to the tuning half of `benchmarks/memory_questions` alone
(`benchmarks/memory_tuning.py`) they gain a little there and lose much elsewhere (`benchmarks/memory_general.py`).
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from clawactors.memory.index.columns import NONE, Columns
from clawactors.memory.index.postings import Numbers
from clawactors.memory.text.date import DAY_NS, Days

__all__ = ["FEATURES", "WEIGHTS", "features", "with_neighbours"]

type Scores = npt.NDArray[np.float32]

FEATURES: Final = (
    "words", "concepts", "vector", "speaker", "session", "date", "asks", "length", "importance", "closed",
)  # fmt: skip

WEIGHTS: Final[dict[str, float]] = {
    "words": 0.5,
    "concepts": 0.4,
    "vector": 0.2,
    "speaker": 2.0,
    "session": 0.3,
    "date": 2.0,
    "asks": -1.0,
    "length": 0.75,
    "importance": 0.5,
    "closed": -1.0,
}

_TELLING_TERMS: Final = (16, 40)
"""Shorter messages say little by themselves; beyond that, length is no merit. The second holds without spaces."""
_TOLD_LATER_DAYS: Final = 14
"""What happened on a day is often told some days later."""


def with_neighbours(scores: Scores, pool: Numbers, columns: Columns) -> Scores:
    """The scores of the pool's items and half of what stands before and after them in their session."""
    near: Scores = scores[columns.before[pool]] + scores[columns.after[pool]]
    return scores[pool] + np.float32(0.5) * near


def features(
    columns: Columns,
    pool: Numbers,
    words: Scores,
    concepts: Scores,
    similarities: Scores,
    speakers: list[int],
    days: list[Days],
    unspaced: bool,
) -> npt.NDArray[np.float32]:
    """One row an item of the pool, one column a feature, in the order of `FEATURES`."""
    own = words[pool] + np.float32(0.5) * concepts[pool]
    return np.stack(
        (
            _standard(with_neighbours(words, pool, columns)),
            _standard(with_neighbours(concepts, pool, columns)),
            _standard(similarities),
            _said_by(columns.speaker[pool], speakers),
            _standard(_of_session(columns.session[pool], pool, own)),
            _closeness(columns.at_ns[pool] // DAY_NS, days),
            columns.asks[pool].astype(np.float32),
            _standard(np.log1p(np.minimum(columns.terms[pool], _TELLING_TERMS[unspaced]).astype(np.float32))),
            columns.importance[pool] - np.float32(0.5),
            columns.closed[pool].astype(np.float32),
        ),
        axis=1,
    )


def _standard(values: Scores) -> Scores:
    """As many deviations as each lies from the mean; written out since `mean` and `std` cost more than they compute."""
    if not len(values):
        return values
    away: Scores = values - values.sum() / np.float32(len(values))
    variance = float(away @ away) / len(values)
    return away / np.float32(variance**0.5) if variance > 1e-12 else np.zeros_like(away)


def _of_session(sessions: npt.NDArray[np.int32], pool: Numbers, own: Scores) -> Scores:
    """How well the whole conversation fits; what belongs to none is one by itself."""
    groups = np.where(sessions == NONE, -2 - pool, sessions)
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    sums = np.bincount(group, own)
    fitting: Scores = (sums / np.sqrt(sizes))[group].astype(np.float32)
    return fitting


def _said_by(own: npt.NDArray[np.int32], speakers: list[int]) -> Scores:
    """1 for what was said by one of those who are meant."""
    return np.isin(own, speakers).astype(np.float32) if speakers else np.zeros(len(own), np.float32)


def _closeness(item_days: npt.NDArray[np.int64], days: list[Days]) -> Scores:
    """1 on the days meant, falling to 0 within the days after them."""
    closest = np.zeros(len(item_days))
    for first, last in days:
        late = np.clip(1 - (item_days - last) / (_TOLD_LATER_DAYS + 1), 0, 1)
        closest = np.maximum(closest, np.where(item_days < first, 0, np.where(item_days <= last, 1, late / 2)))
    return closest.astype(np.float32)
