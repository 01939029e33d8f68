"""From texts to vectors: the port `Embedder`, and `HashedEmbedder`, which needs no model and no network.

`HashedEmbedder` hashes character n-grams and concepts. A document weights its words by how often they occur; only a
query weights them by their rarity. So a document's vector never changes when others are added, and rarity counts once
(in both it would count squared, which measured worse). Each word spreads over the n-grams of its base form, so that
misspelt and related forms still match.
"""

import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from clawactors.memory.text.lexicon import CONCEPT_MARK, Lexicon

__all__ = ["Embedder", "HashedEmbedder", "Idf", "Matrix", "Vector"]

type Matrix = npt.NDArray[np.float32]
"""`(n, dim) float32`."""

type Vector = npt.NDArray[np.float32]
"""`(dim,) float32`."""

type Idf = Callable[[str], float]
"""The rarity of a term in the searched index; higher is rarer."""


class Embedder(Protocol):
    """Computes unit vectors whose inner product is the similarity of the texts."""

    @property
    def name(self) -> str:
        """The name of this embedder and its version; an index built under another name is rebuilt."""
        ...

    @property
    def dim(self) -> int:
        """The number of dimensions."""
        ...

    def documents(self, texts: Sequence[str]) -> tuple[Matrix, Vector]:
        """One unit row per text (zero for a text without terms), and the length of each row before normalization."""
        ...

    def query(self, text: str, idf: Idf) -> Vector:
        """The unit vector for searching documents that answer this text."""
        ...


_SHORTEST, _LONGEST = 3, 5
_CONCEPT_WEIGHT = 1.5
_SPREAD = 0.75  # exponent: 0.5 preserves the length of a word's vector, 1 its sum
_WORDS_CACHED = 32_768

type _Features = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]


class HashedEmbedder:
    """Hashes n-grams and concepts into `dim` dimensions. Deterministic; a greater `dim` has fewer collisions."""

    def __init__(self, lexicon: Lexicon, dim: int = 256) -> None:
        self.dim = dim
        self.name = f"hashed-{dim}-1"
        self._terms = lexicon.terms
        self._features: Callable[[str], _Features] = lru_cache(_WORDS_CACHED)(self._hash)

    def documents(self, texts: Sequence[str]) -> tuple[Matrix, Vector]:
        """See `Embedder`."""
        rows = np.zeros((len(texts), self.dim), np.float32)
        for nth, text in enumerate(texts):
            rows[nth] = self._vector(Counter(self._terms(text)), None)
        lengths = np.linalg.norm(rows, axis=1).astype(np.float32)
        rows /= np.maximum(lengths, 1e-9)[:, None]
        return rows, lengths

    def query(self, text: str, idf: Idf) -> Vector:
        """See `Embedder`."""
        vector = self._vector(Counter(self._terms(text)), idf)
        return vector / max(float(np.linalg.norm(vector)), 1e-9)

    def _vector(self, words: Counter[str], idf: Idf | None) -> Vector:
        if not words:
            return np.zeros(self.dim, np.float32)
        features = [self._features(word) for word in words]
        counts = np.log1p(np.fromiter(words.values(), np.float32, len(words)))
        if idf is not None:
            counts *= np.fromiter((idf(word) for word in words), np.float32, len(words))
        buckets = np.concatenate([feature[0] for feature in features])
        weights = np.concatenate([feature[1] for feature in features])
        weights *= np.repeat(counts, [len(feature[0]) for feature in features])
        return np.bincount(buckets, weights, self.dim).astype(np.float32)

    def _hash(self, word: str) -> _Features:
        """The positions of a word's features in the vector, and their signed weights."""
        grams = [word]
        weight = _CONCEPT_WEIGHT
        if not word.startswith(CONCEPT_MARK):
            if len(word) > 2:
                framed = f"<{word}>"
                sizes = range(_SHORTEST, _LONGEST + 1)
                grams += [framed[at : at + size] for size in sizes for at in range(len(framed) - size + 1)]
            weight = len(grams) ** -_SPREAD
        hashes = np.array([zlib.crc32(gram.encode()) for gram in grams], np.int64)
        signs = np.where(hashes >> 20 & 1, weight, -weight).astype(np.float32)
        return hashes % self.dim, signs
