"""From text to the terms of the index. The same text always gives the same terms, in the index and in a query.

1. Words of spaced scripts are folded, stripped of stop words, reduced to their base form and stemmed. Vowel signs and
   other marks belong to their word.
2. Scripts without spaces give every character and every pair of characters, except stop characters.
3. Names of programs (`ModuleNotFoundError`, `pip_install`, `src/main.py`, `--dry-run`) give their parts and the whole.
4. Numbers keep their decimals and lose their grouping; Chinese numerals are numbers too; each emoji is a term.
"""

import re
import threading
from collections.abc import Iterator
from functools import lru_cache

import snowballstemmer

from clawactors.memory.text.irregular import BASE_FORMS, DETERMINERS, NOUN_FORMS
from clawactors.memory.text.normal import fold
from clawactors.memory.text.numeral import numbers
from clawactors.memory.text.stopword import STOP_CHARACTERS, STOP_WORDS

__all__ = ["COMPOUND", "MARKS", "TERM_LIMIT", "UNSPACED", "Analyzer", "is_unspaced"]

TERM_LIMIT = 48
"""The maximum length of a term; longer words (keys, encoded bytes) are cut."""

UNSPACED = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af"
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\U00020000-\U0003fffd"
)
"""The scripts without spaces, as the inside of a character class; Korean is read like them."""

MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u07a6-\u07b0\u0816-\u082d\u08d3-\u08ff"
    "\u0900-\u0963\u0966-\u0dff\u0f18\u0f19\u0f35\u0f37\u0f39\u0f71-\u0f84\u0f86\u0f87\u0f8d-\u0fbc\u135d-\u135f"
    "\u1ab0-\u1aff\u1b00-\u1b7f\u1dc0-\u1dff\u20d0-\u20f0\ua8e0-\ua8f1\ua980-\ua9c0\ufe20-\ufe2f"
)
"""Signs of Latin, Hebrew, Arabic, Syriac, Indic and Tibetan scripts that are no letters to `re`, but part of a word."""
_RUN = re.compile(f"([{UNSPACED}]+)")
_EMOJI = "[\U0001f1e6-\U0001f1ff]{2}|[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff]"


def _word_of(letter: str) -> re.Pattern[str]:
    # A number with decimals or grouping, a language such as C++ or C#, a word, an emoji.
    return re.compile(rf"\d+(?:[.,]\d+)+|\b[a-z](?:\+\+|#)(?!\w)|{letter}+(?:'{letter}+)?|{_EMOJI}")


_WORD, _MARKED_WORD = _word_of(r"[^\W_]"), _word_of(rf"(?:[^\W_]|[{MARKS}])")
_HUMPS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_CAMEL = re.compile(r"\b[A-Za-z][A-Za-z0-9]*[a-z0-9][A-Z][A-Za-z0-9]*\b")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
COMPOUND = re.compile(r"(?<![a-zA-Z0-9_])[a-zA-Z0-9]+(?:[-_./:@\\#]+[a-zA-Z0-9]+)+")
"""A name joined by signs: a path, an option, a host with a port, a version, an address."""
_HYPHENED = re.compile(r"[a-z]+(?:-[a-z]+)+")
_NUMERIC = re.compile(r"\d+(?:[.,]\d+)*")
_VERSION = re.compile(r"(?<![a-z0-9_])v(?=\d+\.\d)")
_ACRONYM = re.compile(r"(?<![A-Z] )\b[A-Z]{2,5}\b(?! [A-Z]{2})")
_NAMED = re.compile(r"(?<=[a-z0-9,] )[A-Z][a-z]+\b(?! [A-Z])")
# Thai, Lao, Burmese, Khmer and Japanese signs stay with the letter before them.
_CLUSTER = re.compile(
    ".[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u1056-\u1059\u105e-\u1060"
    "\u1062-\u1064\u1067-\u106d\u1071-\u1074\u1082-\u108d\u108f\u109a-\u109d\u17b4-\u17d3\u17dd\u3099\u309a]{0,6}"
)


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
        def stem(word: str) -> str:
            """The stem of a word, whether or not it is a stop word."""
            with lock:
                stemmed: str = stemmer.stemWord(word)
            return stemmed.strip("'")[:TERM_LIMIT]

        @lru_cache(maxsize=65_536)
        def base_form(word: str) -> str:
            """The base form of a word, '' for a stop word."""
            if word in STOP_WORDS:
                return ""
            word = word.removesuffix("'s")
            if word in STOP_WORDS:
                return ""
            return stem(BASE_FORMS.get(word, word))

        self.stem, self.base_form = stem, base_form

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
        # «the US team», «ask Will»: a stop word that is written as a name is one.
        for pattern in (_ACRONYM, _NAMED):
            for name in pattern.findall(text):
                if name.lower() in STOP_WORDS:
                    yield name.lower()
        folded = _VERSION.sub("", fold(text))
        if folded.isascii():
            yield from self._words(folded, _WORD)
        else:
            for nth, piece in enumerate(_RUN.split(folded)):
                if nth % 2:
                    yield from _pairs(piece)
                else:
                    yield from self._words(piece, _WORD if piece.isascii() else _MARKED_WORD)
            yield from numbers(folded)
        yield from self.compounds(folded)

    def compounds(self, folded: str) -> Iterator[str]:
        """The names joined by signs, whole; of paths and addresses each part that is such a name too."""
        for whole in COMPOUND.findall(folded):
            if _HYPHENED.fullmatch(whole):  # «e-mail» is «email», «roll-back» is «rollback»
                if base := self.base_form(whole.replace("-", "")[:TERM_LIMIT]):
                    yield base
            elif not _NUMERIC.fullmatch(whole):
                yield whole[:TERM_LIMIT]
                parts = re.split(r"[/\\:@#]+", whole)
                if len(parts) > 1:
                    yield from (p[:TERM_LIMIT] for p in parts if COMPOUND.fullmatch(p) and not _NUMERIC.fullmatch(p))

    def _words(self, text: str, pattern: re.Pattern[str]) -> Iterator[str]:
        last = ""
        for word in pattern.findall(text):
            if "," in word:
                if _GROUPED.fullmatch(word):
                    yield word.replace(",", "")
                else:
                    yield from word.split(",")
            elif word in NOUN_FORMS and last in DETERMINERS:
                yield self.stem(NOUN_FORMS[word])
            elif base := self.base_form(word[: 2 * TERM_LIMIT]):
                yield base
            last = word


def _pairs(run: str) -> Iterator[str]:
    last = ""
    for character in _CLUSTER.findall(run):
        stops = character in STOP_CHARACTERS
        if not stops:
            yield character
        if last and not (stops and last in STOP_CHARACTERS):
            yield last + character
        last = character
