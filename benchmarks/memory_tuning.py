"""Fits the weights of the ranking and the calibration of relevance: `python -m benchmarks.memory_tuning`.

Reads the tuning half only. Each file counts twice, in a memory of its own and mixed with the others. Weights maximise
the likelihood of the evidence under a softmax over the pool, and are drawn towards the present ones, for what a few
hundred questions say must not outweigh what holds for texts of any kind: take what it prints into `memory/recall` only
where `benchmarks.memory_general` loses nothing.

The coefficients of relevance are fitted to the tuning half of the daily notes, answered and unanswered: what it prints
is a start, for the threshold must also suit questions of other makers. It then shows, for the present coefficients, how
many unanswered questions are told apart where so many answered ones are called weak.
"""

import tempfile
from collections.abc import Iterator

import msgspec
import numpy as np
import numpy.typing as npt

from benchmarks.memory_set import Set, daily, load, mixed
from clawactors import memory
from clawactors.memory.index.rows import all_items
from clawactors.memory.recall.evidence import COEFFICIENTS, EVIDENCE
from clawactors.memory.recall.fusion import FEATURES, WEIGHTS

__all__ = ["main"]

PULL = 0.5
STEPS = 300
STEPS_OF_REGRESSION = 8000

type Floats = npt.NDArray[np.float64]


class Asked(msgspec.Struct):
    """One question's pool: features, which rows are evidence, and what relevance is made of."""

    file: str
    features: Floats
    true: npt.NDArray[np.bool_]
    evidence: Floats


def asked(sets: list[Set]) -> Iterator[Asked]:
    """The sets' own questions."""
    for one in sets:
        with tempfile.TemporaryDirectory() as folder:
            scratch = memory.open_scratch(folder)
            scratch.add_turns(one.turns)
            with scratch.index.store.snapshot() as reading:
                ids = {item.number: item.id for item in all_items(reading)}
                for question in one.questions:
                    ranking, _ = scratch.searcher.rank(reading, question.text)
                    true = np.array([ids[int(number)] in question.evidence for number in ranking.numbers])
                    file = min(question.evidence, default="").rsplit("-", 2)[0]
                    features, evidence = ranking.features.astype(np.float64), ranking.evidence.astype(np.float64)
                    yield Asked(file, features, true, evidence)
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


def calibrated(questions: list[Asked]) -> Floats:
    """Logistic regression: the best true answer of each question against the best other ones."""
    rows: list[Floats] = []
    labels: list[float] = []
    for one in questions:
        true = one.true[: len(one.evidence)]
        right, wrong = one.evidence[true][:1], one.evidence[~true][: 1 if true.any() else 2]
        rows += [*right, *wrong]
        labels += [1.0] * len(right) + [0.0] * len(wrong)
    x, y = np.column_stack([np.ones(len(rows)), np.array(rows)]), np.array(labels)
    share = np.where(y == 1, 0.5 / y.sum(), 0.5 / (1 - y).sum())
    spread = np.where(x.std(axis=0) > 0, x.std(axis=0), 1.0)
    coefficients = np.zeros(x.shape[1])
    for _ in range(STEPS_OF_REGRESSION):
        coefficients += 0.3 * (x / spread).T @ (share * (y - 1 / (1 + np.exp(-x / spread @ coefficients))))
        coefficients[1] = max(coefficients[1], 0)  # more evidence is never less relevant
        coefficients[2:] = np.minimum(coefficients[2:], 0)
    return coefficients / spread


def told(questions: list[Asked], weak: float) -> float:
    """The share of unanswered questions below the level that this share of the answered ones is below."""
    logits = [(float((one.evidence @ np.array(COEFFICIENTS[1:])).max()), bool(one.true.any())) for one in questions]
    level = np.quantile([logit for logit, answered in logits if answered], weak)
    return float(np.mean([logit < level for logit, answered in logits if not answered]))


def main() -> None:
    questions = list(asked([*load("tuning"), *mixed("tuning")]))
    for name in sorted({one.file for one in questions if one.file}):
        own = [one for one in questions if one.file == name]
        without = fitted([one for one in questions if one.file != name])
        print(f"{name:28} R@10, fitted without this file: {recall_at(own, without, 10):.3f}")
    weights = fitted(questions)
    print(
        "WEIGHTS", {name: round(float(value), 2) for name, value in zip(FEATURES, weights, strict=True)}, "was", WEIGHTS
    )
    days = list(asked(daily("tuning")))
    print("COEFFICIENTS", ("constant", *EVIDENCE), calibrated(days).round(2).tolist(), "was", COEFFICIENTS)
    for weak in (0.02, 0.03, 0.05, 0.1):
        print(f"    {weak:.0%} of the answered called weak: {told(days, weak):.2f} of the unanswered told")


if __name__ == "__main__":
    main()
