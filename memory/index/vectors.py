"""The vectors of all items as 8-bit codes: a quarter of the memory; similarities are exact to about 0.002."""

import struct

import numpy as np
import numpy.typing as npt

from clawactors.memory.index.embedding import Matrix, Vector
from clawactors.memory.index.postings import Numbers

__all__ = ["VECTORS", "Vectors", "pack", "quantized"]

VECTORS = "memory.vectors"
"""number → number of terms, length before normalization, scale, codes."""

_HEAD = struct.Struct("<Iff")
_STEP = 2048  # so many rows fit into the processor's cache

type Codes = npt.NDArray[np.int8]


def quantized(rows: Matrix) -> tuple[Codes, Vector]:
    """The codes and the scale of each row."""
    scales = (np.abs(rows).max(axis=1, initial=0.0) / 127).astype(np.float32)
    codes = np.rint(rows / np.maximum(scales, 1e-12)[:, None])
    return codes.astype(np.int8), scales


def pack(terms: int, length: float, scale: float, codes: Codes) -> bytes:
    """A row of the table."""
    return _HEAD.pack(terms, length, scale) + codes.tobytes()


class Vectors:
    """Codes by item number. `lengths` are the lengths of the vectors before normalization."""

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self._codes = np.zeros((1024, dim), np.int8)
        self._scales = np.zeros(1024, np.float32)
        self.lengths = np.zeros(1024, np.float32)

    def set(self, number: int, packed: bytes) -> int:
        """Sets a vector from its row; returns the item's number of terms. Raises: `ValueError` for a damaged row."""
        if len(packed) != _HEAD.size + self.dim:
            raise ValueError(f"vector {number} has {len(packed) - _HEAD.size} codes, expected {self.dim}")
        while number >= len(self._scales):
            self._grow()
        terms, self.lengths[number], self._scales[number] = _HEAD.unpack_from(packed)
        self._codes[number] = np.frombuffer(packed, np.int8, self.dim, _HEAD.size)
        return int(terms)

    def remove(self, number: int) -> None:
        """Overwrites a vector with zeros."""
        if number < len(self._scales):
            self._codes[number] = 0
            self._scales[number] = self.lengths[number] = 0.0

    def _grow(self) -> None:
        self._codes = np.concatenate((self._codes, np.zeros_like(self._codes)))
        self._scales = np.concatenate((self._scales, np.zeros_like(self._scales)))
        self.lengths = np.concatenate((self.lengths, np.zeros_like(self.lengths)))

    def rows(self, numbers: Numbers) -> Matrix:
        """The unit vectors of these items. Shape: `(n, dim) float32`."""
        return self._codes[numbers].astype(np.float32) * self._scales[numbers][:, None]

    def similarities(self, query: Vector, numbers: Numbers) -> Vector:
        """The inner product of a unit vector with each of these items."""
        found = np.empty(len(numbers), np.float32)
        for at in range(0, len(numbers), _STEP):
            part = numbers[at : at + _STEP]
            found[at : at + _STEP] = self._codes[part].astype(np.float32) @ query
        return found * self._scales[numbers]
