"""Embeddings and ranks from an endpoint. Each answer is checked: a model that lies is a model that is not there."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import batched
from typing import Final

import msgspec
import numpy as np

from clawactors.memory.index.embedding import Idf, Matrix, Vector
from clawactors.memory.models.endpoint import ModelEndpoint
from clawactors.memory.models.errors import TextRefused

__all__ = ["RemoteEmbedder", "RemoteReranker"]

_CHARS_MAX: Final = 8000
_QUESTIONS_CACHED: Final = 1024


class _EmbeddedText(msgspec.Struct):
    embedding: list[float]
    index: int | None = None


class _EmbeddingsAnswer(msgspec.Struct):
    data: list[_EmbeddedText]


class _RankedText(msgspec.Struct):
    index: int
    relevance_score: float


class _RerankAnswer(msgspec.Struct):
    results: list[_RankedText]


class RemoteEmbedder:
    """Implements `Embedder` by `POST /embeddings`. A text that the model refuses has a vector of zeros."""

    def __init__(self, endpoint: ModelEndpoint, model: str, dim: int) -> None:
        self.dim = dim
        self.name = f"{endpoint.settings.url.rstrip('/')} {model} {dim}"
        self._endpoint, self._model = endpoint, model
        self._query: Callable[[str], Vector] = lru_cache(_QUESTIONS_CACHED)(self._asked)

    def documents(self, texts: Sequence[str]) -> tuple[Matrix, Vector]:
        """See `Embedder`. Raises: `ModelError`."""
        rows = np.zeros((len(texts), self.dim), np.float32)
        for places in batched((at for at, text in enumerate(texts) if text.strip()), self._endpoint.settings.batch):
            rows[list(places)] = self._batch([texts[at] for at in places])
        return rows, np.ones(len(texts), np.float32)

    def query(self, text: str, idf: Idf) -> Vector:
        """See `Embedder`. The last questions are remembered. Raises: `ModelError`."""
        vector: Vector = self._query(text)
        return vector

    def _asked(self, text: str) -> Vector:
        vector: Vector = self._embedded([text], question=True)[0]
        return vector

    def _batch(self, texts: Sequence[str]) -> Matrix:
        """The rows of some texts; where they are refused together, each half by itself."""
        try:
            return self._embedded(texts, question=False)
        except TextRefused:
            if len(texts) == 1:
                return np.zeros((1, self.dim), np.float32)
            half = len(texts) // 2
            return np.concatenate((self._batch(texts[:half]), self._batch(texts[half:])))

    def _embedded(self, texts: Sequence[str], *, question: bool) -> Matrix:
        body = {"model": self._model, "input": [text[:_CHARS_MAX] for text in texts], "encoding_format": "float"}
        data = self._endpoint.ask("/embeddings", body, _EmbeddingsAnswer, question=question).data
        # The order of the list is no promise where each row tells which text it is of.
        places = [at if one.index is None else one.index for at, one in enumerate(data)]
        if sorted(places) != list(range(len(texts))):
            raise self._endpoint.wrong(f"{len(data)} vectors for {len(texts)} texts, numbered {places[:8]}")
        rows = np.zeros((len(texts), self.dim))  # in 64 bits: what is not finite in 32 may come
        for place, one in zip(places, data, strict=True):
            if len(one.embedding) != self.dim:
                raise self._endpoint.wrong(
                    f"{self._model} gives {len(one.embedding)} dimensions, the settings say {self.dim}"
                )
            rows[place] = one.embedding
        with np.errstate(over="ignore"):
            lengths = np.linalg.norm(rows, axis=1)
        if not np.isfinite(lengths).all() or not (lengths > 0).all():
            raise self._endpoint.wrong(f"{self._model} gives a vector that is not finite, or zero")
        unit: Matrix = (rows / lengths[:, None]).astype(np.float32)
        return unit


class RemoteReranker:
    """Implements `Reranker` by `POST /rerank`, as vLLM, Jina, Cohere and others offer it."""

    def __init__(self, endpoint: ModelEndpoint, model: str) -> None:
        self._endpoint, self._model = endpoint, model

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """See `Reranker`. Raises: `ModelError`."""
        documents = [text[:_CHARS_MAX] for text in texts]
        body = {"model": self._model, "query": question, "documents": documents, "top_n": len(texts)}
        results = self._endpoint.ask("/rerank", body, _RerankAnswer, question=True).results
        found = {one.index: one.relevance_score for one in results}
        if sorted(found) != list(range(len(texts))) or not all(map(math.isfinite, found.values())):
            raise self._endpoint.wrong(f"ranks {len(results)} of {len(texts)} texts, or some without a number")
        return [found[at] for at in range(len(texts))]
