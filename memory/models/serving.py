"""What models add to a search. Where a model is missing, fails or takes too long, the search does without it."""

from collections.abc import Sequence
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from clawactors.memory.index import Index
from clawactors.memory.index.embedding import Vector
from clawactors.memory.index.postings import Numbers
from clawactors.memory.models.errors import ModelError
from clawactors.memory.models.meanings import Meanings

__all__ = ["MeantQuestion", "Reranker", "Retriever", "ServedModels"]

type Mask = npt.NDArray[np.bool_]


class Reranker(Protocol):
    """Compares each text with the question, closer than vectors can."""

    def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        """One finite score per text, greater for a better answer. Raises: `ModelError`."""
        ...


class Retriever(Protocol):
    """Chooses what is ranked."""

    def __call__(
        self,
        index: Index,
        mask: Mask | None,
        by_words: Vector,
        by_concepts: Vector,
        query: Vector,
        meant: "MeantQuestion | None",
    ) -> Numbers:
        """The numbers of living items that the mask has, in ascending order; called under the lock of the index.

        `by_words` and `by_concepts` are scores by number, with one more at the end; `query` is the hashed question.
        """
        ...


class MeantQuestion(msgspec.Struct, frozen=True):
    """A question as a vector, and the vectors of the items."""

    meanings: Meanings
    vector: Vector

    def similarities(self, pool: Numbers) -> Vector:
        """How similar each item is, as a z-score over those that have a vector; 0 for the others."""
        found, known = self.meanings.similarities(self.vector, pool)
        values = found[known]
        spread = float(values.std()) if len(values) else 0.0
        standard = np.zeros(len(pool), np.float32)
        if spread > 1e-6:
            standard[known] = (values - values.mean()) / spread
        return standard


class ServedModels:
    """The models that searches use now; `trouble` is the last failure, for people. Thread-safe."""

    def __init__(
        self,
        meanings: Meanings | None = None,
        reranker: Reranker | None = None,
        retriever: Retriever | None = None,
    ) -> None:
        self.meanings, self.reranker, self.retriever = meanings, reranker, retriever
        self.trouble = ""

    def question(self, text: str) -> MeantQuestion | None:
        """The question for the model; None where it has nothing to say."""
        meanings = self.meanings  # may be replaced meanwhile
        if meanings is None or not text.strip():
            return None
        try:
            vector = meanings.embedder.query(text, _same)
        except ModelError as error:
            self.trouble = str(error)
            return None
        self.trouble = ""
        return MeantQuestion(meanings, vector) if vector.any() else None

    def order(self, question: str, texts: Sequence[str]) -> list[int]:
        """The places of the texts, best first."""
        places = list(range(len(texts)))
        if self.reranker is None or len(texts) < 2:
            return places
        try:
            scores = self.reranker.scores(question, texts)
        except ModelError as error:
            self.trouble = str(error)
            return places
        return sorted(places, key=lambda at: (-scores[at], at))


def _same(_term: str) -> float:
    return 1.0
