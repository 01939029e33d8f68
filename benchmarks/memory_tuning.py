"""Fits the weights of the ranking and the calibration of relevance: `python -m benchmarks.memory_tuning`.

Reads the tuning half only. Each file counts twice, in a memory of its own and mixed with the others. Weights maximise
the likelihood of the evidence under a softmax over the pool, and are drawn towards the present ones, for what a few
hundred questions say must not outweigh what holds for texts of any kind: take what it prints into `memory/recall` only
where `benchmarks.memory_general` loses nothing. The calibration is that of the present weights.
"""

import tempfile
from collections.abc import Iterator

import msgspec
import numpy as np
import numpy.typing as npt

from benchmarks.memory_set import Set, load, mixed
from clawactors import memory
from clawactors.memory.index.rows import all_items
from clawactors.memory.recall.fusion import COEFFICIENTS, FEATURES, WEIGHTS
from clawactors.memory.recall.search import Evidence
from clawactors.memory.text.term import is_unspaced

__all__ = ["main"]

PULL = 0.5
STEPS = 300
KEPT = 0.9

type Floats = npt.NDArray[np.float64]


class Asked(msgspec.Struct):
    """One question's pool: features, which rows are evidence, and what relevance is made of."""

    file: str
    features: Floats
    true: npt.NDArray[np.bool_]
    evidence: Evidence
    unspaced: bool


def asked(sets: list[Set], strangers: bool = False) -> Iterator[Asked]:
    """The sets' own questions; or those of the other sets in their language, which nothing in them answers."""
    for one in sets:
        near = [other for other in sets if other.language == one.language and other is not one]
        others = [question for other in near for question in other.questions]
        with tempfile.TemporaryDirectory() as folder:
            scratch = memory.open_scratch(folder)
            scratch.add_turns(one.turns)
            with scratch.index.store.snapshot() as reading:
                ids = {item.number: item.id for item in all_items(reading)}
                for question in others if strangers else one.questions:
                    ranking, _ = scratch.searcher.rank(reading, question.text)
                    true = np.array([ids[int(number)] in question.evidence for number in ranking.numbers])
                    file = min(question.evidence, default="").rsplit("-", 2)[0]
                    yield Asked(
                        file, ranking.features.astype(np.float64), true, ranking.evidence, is_unspaced(question.text)
                    )
            scratch.close()


def fitted(questions: list[Asked]) -> Floats:
    prior = np.array([WEIGHTS[name] for name in FEATURES])
    weights, squares = prior.copy(), np.full(len(prior), 1e-8)
    useful = [one for one in questions if one.true.any()]
    for _ in range(STEPS):
        gradient = PULL * (weights - prior)
        for one in useful:
            chance = np.exp((scores := one.features @ weights) - scores.max())
            gradient += one.features.T @ (chance / chance.sum() - one.true / one.true.sum()) / len(useful)
        squares += gradient**2
        weights -= 0.5 * gradient / np.sqrt(squares)
    return weights


def recall_at(questions: list[Asked], weights: Floats, depth: int) -> float:
    shares = []
    for one in questions:
        if one.true.any():
            best = np.argsort(-(one.features @ weights), kind="stable")[:depth]
            shares.append(one.true[best].sum() / one.true.sum())
    return float(np.mean(shares))


def calibrated(own: list[Asked], strange: list[Asked], weights: Floats) -> Floats:
    """Logistic regression: true answers against what strange questions find and what own questions find beside them.

    Then moved so that 0.7 keeps `KEPT` of the true answers among the first twenty.
    """
    found = [_rows(one, weights, 20) for one in own]
    strangers = np.concatenate([_rows(one, weights, 5)[0] for one in strange])
    x = np.concatenate([*(rows for rows, _ in found), strangers])
    y = np.concatenate([*(true for _, true in found), np.zeros(len(strangers), np.bool_)])
    far = np.arange(len(x)) >= len(x) - len(strangers)
    share = np.where(y, 0.5 / y.sum(), np.where(far, 0.35 / far.sum(), 0.15 / (~y & ~far).sum()))
    middle, spread = x[:, 1:].mean(axis=0), x[:, 1:].std(axis=0)
    x[:, 1:] = (x[:, 1:] - middle) / spread
    coefficients = np.zeros(x.shape[1])
    for _ in range(8000):
        coefficients += 2 * x.T @ (share * (y - 1 / (1 + np.exp(-x @ coefficients))))
        coefficients[2:] = np.maximum(coefficients[2:], 0)  # more evidence is never less relevant
    level = np.quantile((x @ coefficients)[y], 1 - KEPT)
    coefficients[1:] /= spread
    coefficients[0] += np.log(0.7 / 0.3) - level - middle @ coefficients[1:]
    return coefficients


def _rows(one: Asked, weights: Floats, depth: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
    fused = one.features @ weights
    best = np.argsort(-fused, kind="stable")[:depth]
    constant = np.ones(len(best))
    covered = [part[best].astype(np.float64) for part in one.evidence[:2]]
    return np.column_stack([constant, constant * one.unspaced, *covered, fused[best]]), one.true[best]


def main() -> None:
    questions = list(asked([*load("tuning"), *mixed("tuning")]))
    strange = list(asked(load("tuning"), strangers=True))
    for name in sorted({one.file for one in questions if one.file}):
        own = [one for one in questions if one.file == name]
        without = fitted([one for one in questions if one.file != name])
        print(f"{name:28} R@10, fitted without this file: {recall_at(own, without, 10):.3f}")
    weights = fitted(questions)
    print(
        "WEIGHTS", {name: round(float(value), 2) for name, value in zip(FEATURES, weights, strict=True)}, "was", WEIGHTS
    )
    present = np.array([WEIGHTS[name] for name in FEATURES])
    print("COEFFICIENTS", calibrated(questions, strange, present).round(2).tolist(), "was", COEFFICIENTS)


if __name__ == "__main__":
    main()
