"""Recall: from a question to the memories that answer it.

In: a text, a limit, filters. Out: `Hit`s, best first, each with a relevance in 0..1, an excerpt, its sources and what
its score is made of. Words, concepts and vectors each give a standardised score; neighbours in a conversation count
half; who is meant, when, and which conversation fits best add to the weighted sum.
Never here: changing what is remembered, or calling a model.
"""

from clawactors.memory.recall.filter import Filter
from clawactors.memory.recall.hit import Hit
from clawactors.memory.recall.search import Searcher

__all__ = ["Filter", "Hit", "Searcher"]
