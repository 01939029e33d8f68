"""What a question demands of an answer, as the terms that must cover it.

The weight of a demand follows from what it is and from how rare it is in general language: names, numbers and dates
weigh most, words that only ask or connect weigh little. The terms of a demand say by what a text covers it: by the word
itself, by its parts, or by a word that means the same.
"""

import re
import unicodedata
from typing import Final

from clawactors.memory.recall.demand import LIGHT, WEIGHTS, Demand
from clawactors.memory.recall.spaced import Sentence
from clawactors.memory.text.date import mentions
from clawactors.memory.text.lexicon import CONCEPT_MARK, Lexicon, Sense, values
from clawactors.memory.text.normal import fold
from clawactors.memory.text.numeral import numbers

__all__ = ["demands"]

_TYPED: Final = 0.5
"""The weight of the kind of value that a question asks for."""

_TYPES: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), CONCEPT_MARK + concept)
    for pattern, concept in (
        (r"\bhow old\b|几岁|多大年纪|多大岁数", "=age"),
        (r"\bhow (?:long|soon)\b(?! (?:is|are) the)|多久|多长时间", "=duration"),
        (r"\bwhat time\b|几点", "=time"),
        (r"\bhow much\b.*\b(?:cost|pay|paid|owe|spend|charge|earn|price)|多少钱", "=price"),
        (r"\bhow (?:many|much)\b|多少|几[个次台人本张]", "=figure"),
    )
)
_WEEKDAYS: Final = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_WEEKDAY = re.compile(rf"(?:{_WEEKDAYS})(?=s?\b)|[周期拜][一二三四五六日天]")
_NOW = re.compile(
    r"\btoday\b|\btonight\b|\bthis (?:week|month|year|quarter|spring|summer|autumn|fall|winter)\b"
    r"|今天|今晚|今年|这个月|[本这][周月]"
)
_NAMED = re.compile(rf"{_NOW.pattern}|\b(?:{_WEEKDAYS})s?\b|(?:周|星期|礼拜)[一二三四五六日天]", re.IGNORECASE)
"""Days that a question names beside those that `mentions` finds."""


def demands(text: str, lexicon: Lexicon, today: int, locale: str = "") -> list[Demand]:
    """The demands of a question, in its order, each once. `today` is counted from 1970-01-01."""
    text = unicodedata.normalize("NFKC", text)
    sentence = Sentence(text, lexicon)
    spans = [span for span, _ in mentions(text, today, locale)] + [match.span() for match in _NAMED.finditer(text)]
    found: list[Demand] = []
    at = 0
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= at:
            found += sentence.demands(at, start)
            found.append(_date(fold(text[start:end]), lexicon))
            at = end + (text[end : end + 1] == "份")
    found += sentence.demands(at, len(text))
    found += _typed(text)
    return list({one.text: one for one in reversed(found)}.values())[::-1]


def _typed(text: str) -> list[Demand]:
    for pattern, term in _TYPES:
        if match := pattern.search(text):
            return [Demand(match.group().lower(), "word", _TYPED, {term: 1.0})]
    return []


def _date(folded: str, lexicon: Lexicon) -> Demand:
    """A date is covered by what happened then, or by a text that names it; «today» hardly asks for anything."""
    months = [term for term in values(f"in {folded}") if term.startswith(f"{CONCEPT_MARK}=month")]
    senses = [sense for day in _WEEKDAY.findall(folded) for sense in lexicon.concepts.senses(day)]
    weekdays = [term for term, sense in senses if sense is Sense.MEANS]
    days = [*re.findall(r"\d+", re.sub(r"\d+月", "", folded)), *numbers(re.sub(r".?[^年]月", "", folded))]
    parts = tuple(dict.fromkeys((*months, *weekdays, *days)))
    return Demand(folded, "date", LIGHT if _NOW.fullmatch(folded) else WEIGHTS["date"], {}, parts, 0.25)
