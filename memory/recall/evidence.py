"""How far memories cover what a question demands, and how relevant they are therefore.

A memory covers a demand by its own words, less by what was said right before or after it. The relevance is a logistic
function of the covered share of the question, of what is left open, and of the rank by the fused score. It was fitted
(`benchmarks/memory_tuning.py`) to answered and unanswered questions; at the threshold of 0.7 they part.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from clawactors.memory.index.columns import NONE, Columns, Readable
from clawactors.memory.index.postings import Numbers
from clawactors.memory.recall.demand import LIGHT, Demand
from clawactors.memory.recall.fusion import FEATURES
from clawactors.memory.recall.speaker import NameFinder

__all__ = ["COEFFICIENTS", "EVIDENCE", "THRESHOLD", "Around", "around", "beyond_words", "evidence", "relevance"]

type Scores = npt.NDArray[np.float32]
type Holders = Callable[[str], Numbers]
"""The numbers of the items with a term, in ascending order."""

THRESHOLD: Final = 0.7
"""Hits below this relevance are weak."""

EVIDENCE: Final = ("covered", "open", "missing", "behind", "unsaid")
"""The weighted share of the demands that is covered; the heaviest open demand; the share of names, numbers and dates
that is open; how far the fused score is behind the best one; how little is said of what is asked beside the names."""

COEFFICIENTS: Final[tuple[float, ...]] = (3.65, 5.5, -6.0, -0.7, -1.0, -2.0)
"""The constant and the weights of `EVIDENCE`."""

_NEAR: Final = (0.7, 0.7, 0.6)
"""How much what the memory before, the one after and the one before that say counts."""
_HARD: Final = 0.5
"""Names, numbers and dates of a smaller weight are none that an answer must hold."""
_DAYS_AFTER: Final = np.float32(0.4)
"""What was said some days after a date hardly covers it."""
_ALL_PARTS: Final = np.float32(0.95)
"""All parts in their order are the word itself, in scripts without spaces; elsewhere nearly."""


def around(columns: Columns, pool: Numbers, readable: Readable = None) -> Numbers:
    """The items and their neighbours in the conversation. Shape: `(4, n)`, `NONE` where there is none to read."""
    before, after = columns.beside(pool, readable)
    earlier = np.where(before == NONE, NONE, columns.beside(before, readable)[0])
    return np.stack((pool, before, after, earlier))


type Around = Numbers


def evidence(
    asked: Sequence[Demand], places: Around, holders: Holders, extra: dict[str, Scores], fused: Scores
) -> Scores:
    """The evidence for each item. Shape: `(n, 5)`. `extra` covers demands by other than words: by owner, by date."""
    count = places.shape[1]
    behind = fused.max(initial=-np.inf) - fused
    weights = np.array([one.weight for one in asked], np.float32)
    if not len(weights):
        zeros = np.zeros(count, np.float32)
        return np.stack((zeros, zeros + 1, zeros, behind, zeros), axis=1)
    shares = np.stack([_share(one, places, holders, extra.get(one.text)) for one in asked])
    hard = np.array([one.kind != "word" and one.weight > _HARD for one in asked])
    left = (1 - shares) * weights[:, None]
    covered = 1 - left.sum(axis=0) / weights.sum()
    missing = left[hard].sum(axis=0) / weights[hard].sum() if hard.any() else np.zeros(count, np.float32)
    beside = np.array([one.kind != "name" and one.weight > LIGHT for one in asked])
    unsaid = 1 - shares[beside].max(axis=0) if beside.any() else np.zeros(count, np.float32)
    return np.stack((covered, left.max(axis=0), missing, behind, unsaid), axis=1).astype(np.float32)


def beyond_words(
    asked: Sequence[Demand], rows: Scores, owners: npt.NDArray[np.int32], finder: NameFinder
) -> dict[str, Scores]:
    """The demands that items cover by their time or by their owner; `rows` are their features."""
    found: dict[str, Scores] = {}
    for one in asked:
        if one.kind == "date":
            closeness = rows[:, FEATURES.index("date")]
            found[one.text] = np.where(closeness < 1, _DAYS_AFTER * closeness, closeness)
        elif one.kind == "name" and (named := finder.mentioned(one.text)):
            found[one.text] = np.isin(owners, named).astype(np.float32)
    return found


def _share(one: Demand, places: Around, holders: Holders, extra: Scores | None) -> Scores:
    """How far each item covers the demand, 0..1."""
    shares = np.zeros(places.shape, np.float32)
    for term, share in one.any.items():
        np.maximum(shares, share * _held(holders(term), places), out=shares)
    if one.parts:
        parts = np.mean([_held(holders(part), places) for part in one.parts], axis=0)
        np.maximum(shares, np.where(parts == 1, _ALL_PARTS, np.float32(one.part) * parts), out=shares)
    own, *near = shares
    for scale, other in zip(_NEAR, near, strict=True):
        own = np.maximum(own, np.float32(scale) * other)
    found: Scores = np.maximum(own, extra) if extra is not None else own
    return found


def _held(numbers: Numbers, places: Around) -> Scores:
    if not len(numbers):
        return np.zeros(places.shape, np.float32)
    at = np.minimum(np.searchsorted(numbers, places), len(numbers) - 1)
    held: Scores = (numbers[at] == places).astype(np.float32)
    return held


def relevance(evidence: Scores) -> Scores:
    """The relevance of each item, 0..1."""
    constant, *weights = COEFFICIENTS
    logits = evidence @ np.asarray(weights, np.float32) + np.float32(constant)
    probabilities: Scores = (1 / (1 + np.exp(-np.clip(logits, -30, 30)))).astype(np.float32)
    return probabilities
