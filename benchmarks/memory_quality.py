"""How good memory's answers are: `python -m benchmarks.memory_quality [MODEL]`, for example `minilm`.

Prints, for each language and half, the share of the evidence among the first 5, 10 and 20 (R@k) and the mean
reciprocal rank of the first (MRR), for BM25 alone, vectors alone, and the product's fused ranking; then what the
threshold keeps of the evidence, and of what is found by questions that belong to another conversation.
"""

import sys
import tempfile
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.memory_set import Half, Question, Set, load, mixed
from clawactors import memory
from clawactors.memory.index.rows import item_at
from clawactors.memory.recall.evidence import THRESHOLD
from clawactors.memory.recall.search import RankedItems
from clawactors.memory.scratch import Scratch

__all__ = ["figures", "kept", "main", "rankers", "strange", "table"]

DEPTHS = (5, 10, 20)

type Ranker = Callable[[str], list[str]]


def rankers(scratch: Scratch) -> dict[str, Ranker]:
    """Ways to rank the same memory."""
    from clawactors.memory.recall.lexical import WORDS, bm25, terms_of_query

    index = scratch.index

    def named(scores: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> list[str]:
        best = np.argsort(-scores, kind="stable")[: max(DEPTHS)]
        with index.store.snapshot() as reading:
            items = [item_at(reading, int(number)) for number in best]
        return [item.id for item in items if item]

    def words(text: str) -> list[str]:
        with index.store.snapshot() as reading:
            terms = terms_of_query(reading, index.columns, index.lexicon.analyzer.terms(text))
            return named(bm25(terms, index.columns, WORDS)[:-1])

    def vectors(text: str) -> list[str]:
        with index.store.snapshot() as reading:
            terms = terms_of_query(reading, index.columns, index.lexicon.terms(text))
            idf = {term.text: term.idf for term in terms}
            query = index.embedder.query(text, lambda term: idf.get(term, 0.0))
            return named(index.vectors.similarities(query, np.arange(index.columns.count)))

    return {"BM25 alone": words, "vectors alone": vectors, "fused": lambda text: scratch.search(text, max(DEPTHS))}


def figures(questions: Sequence[Question], ranker: Ranker) -> list[float]:
    """R@5, R@10, R@20 and MRR over the questions that have evidence."""
    sums = np.zeros(len(DEPTHS) + 1)
    asked = [one for one in questions if one.evidence]
    for question in asked:
        found = ranker(question.text)
        places = [place for place, id in enumerate(found, 1) if id in question.evidence]
        recalls = [sum(place <= k for place in places) / len(question.evidence) for k in DEPTHS]
        sums += np.array([*recalls, 1 / places[0] if places else 0.0], np.float64)
    return [round(float(value), 3) for value in sums / len(asked)]


def kept(scratch: Scratch, questions: Sequence[Question]) -> tuple[float, float]:
    """What reaches the threshold: the share of the evidence among the first 20, of any 5 where there is none."""
    passed: dict[bool, list[bool]] = {True: [], False: []}
    with scratch.index.store.snapshot() as reading:
        for question in questions:
            ranking: RankedItems = scratch.searcher.rank(reading, question.text)[0]
            for place, number in enumerate(ranking.numbers[: 20 if question.evidence else 5]):
                item = item_at(reading, int(number))
                if item and (not question.evidence or item.id in question.evidence):
                    passed[bool(question.evidence)].append(bool(ranking.relevances[place] >= THRESHOLD))
    return float(np.mean(passed[True])), float(np.mean(passed[False]))


def strange(sets: Sequence[Set]) -> tuple[float, float]:
    """`kept`, over memories of one file each, asked their own questions and those of the other files."""
    figures = []
    for one in sets:
        with tempfile.TemporaryDirectory() as folder:
            scratch = memory.open_scratch(folder)
            scratch.add_turns(one.turns)
            others = [ask for other in sets if other is not one for ask in other.questions]
            unanswered = [Question(ask.text, frozenset()) for ask in others]
            figures.append(kept(scratch, [*(ask for ask in one.questions if ask.evidence), *unanswered]))
            scratch.close()
    share, noise = np.mean(figures, axis=0)
    return float(share), float(noise)


def table(half: Half, model: str = "") -> dict[str, dict[str, list[float]]]:
    """R@5, R@10, R@20 and MRR of each way to rank, by language: what `claw bench memory` prints."""
    found: dict[str, dict[str, list[float]]] = {}
    for one in mixed(half):
        with tempfile.TemporaryDirectory() as folder:
            scratch = memory.open_scratch(folder, model=model)
            scratch.add_turns(one.turns)
            asked = [question for question in one.questions if question.evidence]
            found[one.name] = {name: figures(asked, ranker) for name, ranker in rankers(scratch).items()}
            scratch.close()
    return found


def main() -> None:
    model = sys.argv[1] if len(sys.argv) > 1 else ""
    print(f"{'':34}{'R@5':>7}{'R@10':>7}{'R@20':>7}{'MRR':>7}")
    for half in ("tuning", "held-out"):
        for one in mixed(half):
            report(one, model)
            share, noise = strange([other for other in load(half) if other.language == one.language])
            print(
                f"    at {THRESHOLD}: {share:.2f} of the true answers kept, {noise:.2f} of what strange questions find"
            )


def report(one: Set, model: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        scratch = memory.open_scratch(folder, model=model)
        scratch.add_turns(one.turns)
        asked = [question for question in one.questions if question.evidence]
        print(f"{one.name}: {len(one.turns)} items, {len(asked)} questions")
        for name, ranker in rankers(scratch).items():
            print(f"    {name:30}" + "".join(f"{value:7.3f}" for value in figures(asked, ranker)))
        scratch.close()


if __name__ == "__main__":
    main()
