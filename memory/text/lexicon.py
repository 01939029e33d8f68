"""The words and the concepts of a text: what it is found by, in the index, in vectors and in a query."""

import re
from functools import lru_cache

from clawactors.memory.text.normal import fold
from clawactors.memory.text.term import Analyzer
from clawactors.memory.text.thesaurus import CONCEPTS

__all__ = ["CONCEPT_MARK", "ConceptFinder", "Lexicon"]

CONCEPT_MARK = "\x01"
"""The first character of a concept's term; no word starts with it."""

_SPACED = re.compile(r"[a-z][a-z']*")
_RUN = re.compile("[\u3400-\u9fff]+")
_LONGEST = 6
_CACHED = 1024
_CACHED_LENGTH = 4096


class ConceptFinder:
    """Finds the concepts of a text: spaced words by their base form, Chinese words by the longest match."""

    def __init__(self, analyzer: Analyzer) -> None:
        self._analyzer = analyzer
        self._of: dict[str, tuple[str, ...]] = {}
        for concept, words in CONCEPTS.items():
            for word in words:
                key = word if _RUN.match(word) else " ".join(self._bases(word.replace("_", " ")))
                if key and CONCEPT_MARK + concept not in self._of.get(key, ()):
                    self._of[key] = (*self._of.get(key, ()), CONCEPT_MARK + concept)

    def _bases(self, text: str) -> list[str]:
        return [base for word in _SPACED.findall(text) if (base := self._analyzer.base_form(word))]

    def concepts(self, text: str) -> list[str]:
        """The concepts in the order of the text, with repeats."""
        found: list[str] = []
        folded = fold(text)
        before = ""
        for base in self._bases(folded):
            found += self._of.get(base, ())
            found += self._of.get(f"{before} {base}", ())
            before = base
        if not folded.isascii():
            for run in _RUN.findall(folded):
                at = 0
                while at < len(run):
                    for length in range(min(_LONGEST, len(run) - at), 0, -1):
                        if hits := self._of.get(run[at : at + length]):
                            found += hits
                            at += length - 1
                            break
                    at += 1
        return found


class Lexicon:
    """The terms of texts. Index, embedder and search share one, so that they analyze texts alike."""

    def __init__(self, language: str = "english") -> None:
        self.analyzer = Analyzer(language)
        self.concepts = ConceptFinder(self.analyzer)
        # A text is embedded right after it was indexed.
        self._cached = lru_cache(_CACHED)(self._terms)

    def terms(self, text: str) -> tuple[str, ...]:
        """All words and concepts, with repeats."""
        return self._cached(text) if len(text) <= _CACHED_LENGTH else self._terms(text)

    def _terms(self, text: str) -> tuple[str, ...]:
        return (*self.analyzer.terms(text), *self.concepts.concepts(text))
