"""The rank of items.

The rank is a weighted sum of standardized scores and of features for speaker, date and session. The weights hold for
texts of any kind: weights that are fitted only to the tuning half of `benchmarks/memory_questions` (by
`benchmarks/memory_tuning.py`) gain a little there and lose much elsewhere (`benchmarks/memory_general.py`).
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from clawactors.memory.index.columns import NONE, Columns, Readable
from clawactors.memory.index.postings import Numbers
from clawactors.memory.text.date import DAY_NS, Days

__all__ = ["FEATURES", "WEIGHTS", "features", "standardized", "with_neighbours"]

type Scores = npt.NDArray[np.float32]

FEATURES: Final = (
    "words", "concepts", "vector", "speaker", "session", "date", "asks", "length", "importance", "closed", "meaning",
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
    "meaning": 1.5,
}

_FULL_LENGTH: Final = 16
"""Words up to which a longer message ranks higher."""
_REPORTED_WITHIN_DAYS: Final = 14
"""People often report an event some days after it happened."""


def with_neighbours(scores: Scores, pool: Numbers, columns: Columns, readable: Readable = None) -> Scores:
    """The scores of the pool's items plus half the scores of their neighbours in the session that one may read."""
    before, after = columns.beside(pool, readable)
    near: Scores = scores[before] + scores[after]
    return scores[pool] + np.float32(0.5) * near


def features(
    columns: Columns,
    pool: Numbers,
    words: Scores,
    concepts: Scores,
    similarities: Scores,
    speakers: list[int],
    owners: list[int],
    days: list[Days],
    offset_ns: int = 0,
    meaning: Scores | None = None,
    readable: Readable = None,
) -> npt.NDArray[np.float32]:
    """The feature matrix. Shape: one row per item of the pool, one column per feature in the order of `FEATURES`.

    `offset_ns` leads from UTC to the zone of `days`; `meaning` is the standardized similarity by a model.
    """
    own = words[pool] + np.float32(0.5) * concepts[pool]
    return np.stack(
        (
            standardized(with_neighbours(words, pool, columns, readable)),
            standardized(with_neighbours(concepts, pool, columns, readable)),
            standardized(similarities),
            np.maximum(_spoken_by(columns.speaker[pool], speakers), _spoken_by(columns.owner[pool], owners)),
            standardized(_of_session(columns.session[pool], pool, own)),
            _closeness((columns.at_ns[pool] + offset_ns) // DAY_NS, days),
            columns.question[pool].astype(np.float32),
            standardized(np.log1p(np.minimum(columns.terms[pool], _FULL_LENGTH).astype(np.float32))),
            columns.importance[pool] - np.float32(0.5),
            columns.closed[pool].astype(np.float32),
            np.zeros(len(pool), np.float32) if meaning is None else meaning,
        ),
        axis=1,
    )


def standardized(values: Scores) -> Scores:
    """The z-score of each value; written out because the overhead of `mean` and `std` exceeds their work."""
    if not len(values):
        return values
    away: Scores = values - values.sum() / np.float32(len(values))
    variance = float(away @ away) / len(values)
    return away / np.float32(variance**0.5) if variance > 1e-12 else np.zeros_like(away)


def _of_session(sessions: npt.NDArray[np.int32], pool: Numbers, own: Scores) -> Scores:
    """The score of the whole conversation; an item without a conversation forms its own."""
    groups = np.where(sessions == NONE, -2 - pool, sessions)
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    sums = np.bincount(group, own)
    scores: Scores = (sums / np.sqrt(sizes))[group].astype(np.float32)
    return scores


def _spoken_by(own: npt.NDArray[np.int32], speakers: list[int]) -> Scores:
    """1 for items of one of these speakers, else 0."""
    return np.isin(own, speakers).astype(np.float32) if speakers else np.zeros(len(own), np.float32)


def _closeness(item_days: npt.NDArray[np.int64], days: list[Days]) -> Scores:
    """1 on one of these days, falling to 0 over the days after it."""
    closest = np.zeros(len(item_days))
    for first, last in days:
        late = np.clip(1 - (item_days - last) / (_REPORTED_WITHIN_DAYS + 1), 0, 1)
        closest = np.maximum(closest, np.where(item_days < first, 0, np.where(item_days <= last, 1, late / 2)))
    return closest.astype(np.float32)
