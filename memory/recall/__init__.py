"""Recall: from a question to the memories that answer it.

In: a text, a limit, a filter. Out: `Hit`s, best first, each with a relevance in 0..1, an excerpt, its sources and the
parts of its score. Words, concepts and vectors each give a standardized score; neighbours in a conversation count half;
speaker, date and the best matching conversation add to the weighted sum.
It never changes what is remembered and never calls a model.
"""

from clawactors.memory.recall.filter import MemoryFilter
from clawactors.memory.recall.hit import Hit
from clawactors.memory.recall.search import Searcher

__all__ = ["Hit", "MemoryFilter", "Searcher"]
