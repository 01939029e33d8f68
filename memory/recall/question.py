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
from clawactors.memory.text.date import mentioned_days
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
_MONTHS: Final = (
    "january|february|march|april|may|june|july|august|september|october|november|december"
    "|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
)
_WEEKDAYS: Final = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_WEEKDAY = re.compile(rf"(?:{_WEEKDAYS})(?=s?\b)|[周期拜][一二三四五六日天]")
_DATE = re.compile(
    r"\b\d{4}-\d{1,2}-\d{1,2}\b"
    rf"|(?:\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? )?\b(?:{_MONTHS})\b(?:,? \d{{1,4}}(?:st|nd|rd|th)?\b(?!:))*"
    rf"|\b(?:last |next |this |on )?(?:{_WEEKDAYS})s?\b"
    r"|\b(?:the day before )?yesterday\b|\btoday\b|\btonight\b|\btomorrow\b"
    r"|\b(?:last|this|next) (?:night|week|month|year|spring|summer|autumn|fall|winter|quarter|weekend)\b"
    r"|\b(?:\d+|a|two|three|four|five|six|seven) (?:day|week|month|year)s? ago\b|\b(?:in|since|of|from) (?:19|20)\d\d\b"
    r"|(?:\d{2,4}年)?(?:\d{1,2}|[一二三四五六七八九十]{1,2})月(?:份|(?:\d{1,2}|[一二三四五六七八九十]{1,3})[日号])?"
    r"|\d{4}年|前天|昨天|昨晚|今天|今晚|明天|后天|[上本下这]周[一二三四五六日天]?|(?:周|星期|礼拜)[一二三四五六日天]"
    r"|上个?月|这个月|本月|下个?月|去年|今年|明年|前年",
    re.IGNORECASE,
)
_NOW = re.compile(r"today|tonight|this \w+|今天|今晚|今年|本\S+|这\S+", re.IGNORECASE)
_VERBS: Final = frozenset(("may", "march", "mar", "dec", "sep"))
"""Names of months that are words too, if they are not capitalized."""


def demands(text: str, lexicon: Lexicon, today: int) -> list[Demand]:
    """The demands of a question, in its order, each once. `today` is counted from 1970-01-01."""
    text = unicodedata.normalize("NFKC", text)
    sentence = Sentence(text, lexicon)
    dated = bool(mentioned_days(text, today))
    found: list[Demand] = []
    at = 0
    for match in _DATE.finditer(text):
        named = match.group()
        now = _NOW.fullmatch(named) is not None
        if named not in _VERBS and (dated or now or _WEEKDAY.search(named.lower())):
            found += sentence.demands(at, match.start())
            found.append(_date(fold(named), now, lexicon))
            at = match.end()
    found += sentence.demands(at, len(text))
    found += _typed(text)
    return list({one.text: one for one in reversed(found)}.values())[::-1]


def _typed(text: str) -> list[Demand]:
    for pattern, term in _TYPES:
        if match := pattern.search(text):
            return [Demand(match.group().lower(), "word", _TYPED, {term: 1.0})]
    return []


def _date(folded: str, now: bool, lexicon: Lexicon) -> Demand:
    """A date is covered by what happened then, or by a text that names it; «today» hardly asks for anything."""
    months = [term for term in values(f"in {folded}") if term.startswith(f"{CONCEPT_MARK}=month")]
    senses = [sense for day in _WEEKDAY.findall(folded) for sense in lexicon.concepts.senses(day)]
    weekdays = [term for term, sense in senses if sense is Sense.MEANS]
    days = [*re.findall(r"\d+", re.sub(r"\d+月", "", folded)), *numbers(re.sub(r".?[^年]月", "", folded))]
    parts = tuple(dict.fromkeys((*months, *weekdays, *days)))
    return Demand(folded, "date", LIGHT if now else WEIGHTS["date"], {}, parts, 0.25)
