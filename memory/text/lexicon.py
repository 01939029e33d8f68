"""The words and the concepts of a text: what it is found by, in the index, in vectors and in a query."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import IntEnum
from functools import cache, cached_property, lru_cache

from clawactors.memory.text.normal import fold
from clawactors.memory.text.term import UNSPACED, Analyzer
from clawactors.memory.text.thesaurus import CONCEPTS, SYNONYMS

__all__ = ["CONCEPT_MARK", "ConceptFinder", "Lexicon", "Sense", "length", "values"]

CONCEPT_MARK = "\x01"
"""The first character of a concept's term; no word starts with it."""

_SPACED = re.compile(r"[a-z][a-z'-]*")
_RUN = re.compile("[\u3400-\u9fff]+")
_IS_UNSPACED = re.compile(f"[{UNSPACED}]")
_LONGEST = 6
_CACHED = 1024
_CACHED_LENGTH = 4096
_UNSPACED_LENGTH = 0.4
"""A character and its pairs count as so many words: four characters are about three words."""

# A value says what it is: «10.0.0.5:8443» holds an address and a port, whatever else the text says.
_VALUE = re.compile(
    r"(?P<address>https?://)|(?P<email>(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,64}\.\w)|(?P<ip>\b\d{1,3}(?:\.\d{1,3}){3}\b)(?::(?P<port>\d{2,5}))?"
    r"|(?P<time>\b\d{1,2}:\d\d\b|\b\d{1,2} ?[ap]m\b|\d点|[一二三四五六七八九十两]点)"
    r"|(?P<percent>\d ?%|\bpercent\b|百分之)|(?P<price>[$€£¥] ?\d|\d ?(?:eur|usd|euros?|dollars?|pounds?|元|块))"
    r"|(?P<region>\b(?:eu|us|ap|ca|sa|af|me|cn)-[a-z]+-\d\b)|(?P<memory>\d ?[kmgt]i?b\b)"
    r"|(?P<version>\bv?\d+\.\d+\.\d+\b)"
    r"|(?P<duration>\b(?:\d+|an?|two|three|four|five|six|seven|eight|nine|ten|twelve|half|few|several)[ -]?"
    r"(?:ms|seconds?|minutes?|hours?|days?|weeks?|months?|years?)\b"
    r"|[\d一二两三四五六七八九十](?:个月|年|周|天|小时|分钟|秒))"
)
_MONTHS = (
    "january february march april may june july august september october november december",
    "jan feb mar apr may jun jul aug sep oct nov dec",
    "一月 二月 三月 四月 五月 六月 七月 八月 九月 十月 十一月 十二月",
)
_MONTH_OF = {name: nth for names in _MONTHS for nth, name in enumerate(names.split(), 1)} | {"sept": 9}
_SURE = "|".join(name for name in _MONTH_OF if name.isascii() and name not in ("may", "march", "mar"))
_MONTH = re.compile(
    rf"\b(?:{_SURE})\b"
    r"|(?:(?<=\d )|(?<=\bin )|(?<=\bof )|(?<=\bsince )|(?<=\bby )|(?<=\buntil )|(?<=\blast ))(?:may|march|mar)\b"
    r"|\b(?:may|march|mar)\b(?= \d)|(?:十[一二]?|[一二三四五六七八九]|(?<!\d)\d{1,2})月"
)
_FIGURE = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|hundred|thousand|million|half|dozen|tenth)\b"
    r"|[一二两三四五六七八九十百千万半]"
)


class Sense(IntEnum):
    """How a word stands to a concept: `RELATED` to it, `MEANS` it, or an `EXAMPLE` of it."""

    RELATED, MEANS, EXAMPLE = range(3)


def _bases(text: str, analyzer: Analyzer) -> list[str]:
    return [base for word in _SPACED.findall(text) if (base := analyzer.base_form(word.replace("-", "")))]


@cache
def _listed(language: str) -> tuple[dict[str, tuple[tuple[str, Sense], ...]], dict[str, tuple[str, ...]]]:
    """The concepts with their senses by base form, phrase or Chinese word, and the concepts alone; once a language."""
    analyzer = Analyzer(language)
    entries = [(concept, words, Sense.RELATED) for concept, words in CONCEPTS.items()]
    for words, examples in SYNONYMS:
        entries += [(f"={words[0]}", words, Sense.MEANS), (f"={words[0]}", examples, Sense.EXAMPLE)]
    senses: dict[str, tuple[tuple[str, Sense], ...]] = {}
    for concept, words, sense in entries:
        for word in words:
            key = word if _RUN.match(word) else " ".join(_bases(word.replace("_", " "), analyzer))
            known = senses.get(key, ())
            if key and (CONCEPT_MARK + concept, sense) not in known:
                senses[key] = (*known, (CONCEPT_MARK + concept, sense))
    return senses, {key: tuple(dict.fromkeys(concept for concept, _ in of)) for key, of in senses.items()}


class ConceptFinder:
    """Finds the concepts of a text: spaced words by their base form, Chinese words by the longest match."""

    def __init__(self, analyzer: Analyzer) -> None:
        self._analyzer = analyzer

    @cached_property  # read with the first text: a process that starts has none yet
    def _of(self) -> dict[str, tuple[tuple[str, Sense], ...]]:
        return _listed(self._analyzer.language)[0]

    @cached_property
    def _names(self) -> dict[str, tuple[str, ...]]:
        return _listed(self._analyzer.language)[1]

    @cached_property
    def words(self) -> frozenset[str]:
        """The Chinese words that have a concept."""
        return frozenset(key for key in self._of if _RUN.fullmatch(key))

    def _bases(self, text: str) -> list[str]:
        return _bases(text, self._analyzer)

    def senses(self, key: str) -> tuple[tuple[str, Sense], ...]:
        """The concepts of one base form, of two joined by a space, or of one Chinese word."""
        return self._of.get(key, ())

    def concepts(self, text: str) -> list[str]:
        """The concepts in the order of the text, with repeats."""
        found: list[str] = []
        folded = fold(text)
        before = ""
        for base in self._bases(folded):
            found += self._names.get(base, ())
            found += self._names.get(f"{before} {base}", ())
            before = base
        if not folded.isascii():
            for run in _RUN.findall(folded):
                at = 0
                while at < len(run):
                    for length in range(min(_LONGEST, len(run) - at), 0, -1):
                        if hits := self._names.get(run[at : at + length]):
                            found += hits
                            at += length - 1
                            break
                    at += 1
        return found


def values(folded: str) -> Iterator[str]:
    """The concepts of the values in a folded text: addresses, times, prices, months and such, and `figure` for any."""
    for match in _VALUE.finditer(folded):
        for name, value in match.groupdict().items():
            if value:
                yield f"{CONCEPT_MARK}={name}"
    for name in _MONTH.findall(folded):
        nth = _MONTH_OF.get(name) or int(name[:-1] if name[:-1].isdecimal() else 0)
        yield f"{CONCEPT_MARK}=month{nth}"
    if _FIGURE.search(folded):
        yield f"{CONCEPT_MARK}=figure"


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

    def indexed(self, text: str) -> Counter[str]:
        """How often the text holds each word and concept, with the concepts of its values."""
        return Counter(self.terms(text)) + Counter(values(fold(text)))

    def _terms(self, text: str) -> tuple[str, ...]:
        return (*self.analyzer.terms(text), *self.concepts.concepts(text))


def length(counts: Mapping[str, int]) -> int:
    """How long a text with these terms is, in words of a spaced script."""
    unspaced = sum(count for term, count in counts.items() if _IS_UNSPACED.match(term))
    return round(sum(counts.values()) - (1 - _UNSPACED_LENGTH) * unspaced)
