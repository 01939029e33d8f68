"""Texts to vectors. `HashedEmbedder` needs no model and no network; another `Embedder` may be plugged in its place.

In: texts (documents) or one query. Out: unit `float32` vectors, and for documents the length they had before, which
ranking uses as a measure of how much a text says. Never here: storing or searching vectors.
"""

from clawactors.memory.embedding.embedder import Embedder, Idf, Matrix, Vector
from clawactors.memory.embedding.hashed import HashedEmbedder

__all__ = ["Embedder", "HashedEmbedder", "Idf", "Matrix", "Vector"]
