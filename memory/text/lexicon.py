"""Words and concepts of a text together: what it is found by, in the index, in vectors and in a query."""

from functools import lru_cache

from clawactors.memory.text.concept import ConceptFinder
from clawactors.memory.text.term import Analyzer

__all__ = ["Lexicon"]

_CACHED = 1024
_CACHED_LENGTH = 4096


class Lexicon:
    """One for a whole memory: index, embedder and search must read texts alike."""

    def __init__(self, language: str = "english") -> None:
        self.analyzer = Analyzer(language)
        self.concepts = ConceptFinder(self.analyzer)
        # What is indexed is embedded a moment later.
        self._cached = lru_cache(_CACHED)(self._terms)

    def terms(self, text: str) -> tuple[str, ...]:
        """All words and concepts, repeats included."""
        return self._cached(text) if len(text) <= _CACHED_LENGTH else self._terms(text)

    def _terms(self, text: str) -> tuple[str, ...]:
        return (*self.analyzer.terms(text), *self.concepts.concepts(text))
