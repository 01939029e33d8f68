"""From text to the terms of the index. The same text always gives the same terms, in the index and in a query.

1. Words of spaced scripts are folded, stripped of stop words, reduced to their base form and stemmed.
2. Scripts without spaces give every character and every pair of characters, except stop characters.
3. Identifiers (`ModuleNotFoundError`, `pip_install`) give their parts and the whole.
4. Numbers keep their decimals and lose their grouping; each emoji is a term.
"""

import re
import threading
from collections.abc import Iterator
from functools import lru_cache

import snowballstemmer

from clawactors.memory.text.irregular import BASE_FORMS
from clawactors.memory.text.normal import fold
from clawactors.memory.text.stopword import STOP_CHARACTERS, STOP_WORDS

__all__ = ["TERM_LIMIT", "Analyzer", "is_unspaced"]

TERM_LIMIT = 48
"""The maximum length of a term; longer words (keys, encoded bytes) are cut."""

_UNSPACED = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af"
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\U00020000-\U0003fffd"
)
_RUN = re.compile(f"([{_UNSPACED}]+)")
_WORD = re.compile(
    r"\d+(?:[.,]\d+)+"  # a number with decimals or grouping
    r"|[^\W_]+(?:'[^\W_]+)?"
    r"|[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff]"
)
_HUMPS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_CAMEL = re.compile(r"\b[A-Za-z]*[a-z][A-Z][A-Za-z]*\b")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")


def is_unspaced(text: str) -> bool:
    """True for a text mainly in scripts without spaces; a spaced word counts as two characters."""
    parts = _RUN.split(text)
    return sum(map(len, parts[1::2])) > 2 * sum(len(_WORD.findall(part)) for part in parts[::2])


class Analyzer:
    """Extracts terms. `language` is the name of a Snowball stemmer; stop words are English and Chinese."""

    def __init__(self, language: str = "english") -> None:
        self.language = language
        stemmer = snowballstemmer.stemmer(language)
        lock = threading.Lock()  # the stemmer is not thread-safe

        @lru_cache(maxsize=65_536)
        def base_form(word: str) -> str:
            """The base form of a word, '' for a stop word."""
            if word in STOP_WORDS:
                return ""
            word = word.removesuffix("'s")
            if word in STOP_WORDS:
                return ""
            word = BASE_FORMS.get(word, word)
            with lock:
                stemmed: str = stemmer.stemWord(word)
            return stemmed.strip("'")[:TERM_LIMIT]

        self.base_form = base_form

    def terms(self, text: str) -> list[str]:
        """All terms in the order of the text, with repeats."""
        return list(self._terms(text))

    def words(self, text: str) -> list[str]:
        """Like `terms`, but without the single characters of scripts without spaces."""
        return [term for term in self._terms(text) if len(term) > 1 or not _RUN.match(term)]

    def _terms(self, text: str) -> Iterator[str]:
        for camel in _CAMEL.findall(text):
            for part in _HUMPS.findall(camel):
                if base := self.base_form(part.lower()):
                    yield base
        folded = fold(text)
        if folded.isascii():
            yield from self._words(folded)
            return
        for nth, piece in enumerate(_RUN.split(folded)):
            if nth % 2:
                yield from _pairs(piece)
            else:
                yield from self._words(piece)

    def _words(self, text: str) -> Iterator[str]:
        for word in _WORD.findall(text):
            if "," in word:
                if _GROUPED.fullmatch(word):
                    yield word.replace(",", "")
                else:
                    yield from word.split(",")
            elif base := self.base_form(word[: 2 * TERM_LIMIT]):
                yield base


def _pairs(run: str) -> Iterator[str]:
    last = ""
    for character in run:
        stops = character in STOP_CHARACTERS
        if not stops:
            yield character
        if last and not (stops and last in STOP_CHARACTERS):
            yield last + character
        last = character
