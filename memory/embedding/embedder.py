"""The port that turns text into vectors."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Embedder", "Idf", "Matrix", "Vector"]

type Matrix = npt.NDArray[np.float32]
"""`(n, dim) float32`."""

type Vector = npt.NDArray[np.float32]
"""`(dim,) float32`."""

type Idf = Callable[[str], float]
"""How rare a term is in the index the query goes to; higher is rarer."""


class Embedder(Protocol):
    """Gives unit vectors whose inner product is the similarity of the texts."""

    @property
    def name(self) -> str:
        """Changes whenever the vectors would: an index built under another name is rebuilt."""
        ...

    @property
    def dim(self) -> int:
        """Length of a vector."""
        ...

    def documents(self, texts: Sequence[str]) -> tuple[Matrix, Vector]:
        """One unit row a text (zero where the text has no terms), and the length of each before it was made one."""
        ...

    def query(self, text: str, idf: Idf) -> Vector:
        """The unit vector that finds the documents which answer this text."""
        ...
