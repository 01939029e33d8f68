"""The demands of text with spaces: words, names, numbers, names of programs, phrases."""

import re
from collections.abc import Iterator
from typing import Final

from clawactors.memory.recall.demand import ASKED, LIGHT, MODIFIES, VERB, WEIGHTS, Demand, DemandKind, covering
from clawactors.memory.recall.unspaced import unspaced_demands
from clawactors.memory.text.irregular import BASE_FORMS
from clawactors.memory.text.lexicon import Lexicon
from clawactors.memory.text.normal import fold
from clawactors.memory.text.rarity import light, rarity
from clawactors.memory.text.stopword import STOP_WORDS
from clawactors.memory.text.term import COMPOUND, MARKS, TERM_LIMIT, UNSPACED

__all__ = ["Sentence"]

_LETTER = rf"(?:[^\W_{UNSPACED}]|[{MARKS}])"
_TOKEN = re.compile(
    rf"(?P<unspaced>[{UNSPACED}]+)|(?P<code>{COMPOUND.pattern})|(?P<number>\d++(?:[.,]\d++)*+(?!{_LETTER}))"
    rf"|(?P<sharp>\b[A-Za-z](?:\+\+|#)(?!\w))|(?P<word>{_LETTER}+(?:['\u2019]{_LETTER}+)?)"
)
_CODE = re.compile(r"[\d_./:@\\#]")
_MIXED = re.compile(r"[a-z][A-Z]|[^\W\d_]\d|\d[^\W\d_]")
_ACRONYMS = re.compile(r"[A-Z]{2,}s")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_SPACED_WORD = re.compile(r"[^\W\d_]{2,}")
_TITLED: Final = 0.7
_ASKING: Final = frozenset(("which", "what"))
_AUXILIARY = re.compile(
    r"\b(?:do|does|did|don't|doesn't|didn't|can|can't|could|may|must|should|shall|will|would|won't|has|have|had)\b"
)
_BEFORE_VERB_TEXT = """
i we you they he she it who to not must may can should shall will would could don't doesn't didn't can't
won't be been being how
"""
_BEFORE_VERB: Final = frozenset(_BEFORE_VERB_TEXT.split())
_AFTER_VERB_TEXT = """
in on at of for from to with during between after before by about into over under until since how and or when
"""
_AFTER_VERB: Final = frozenset(_AFTER_VERB_TEXT.split())


class Sentence:
    """A question; `demands` gives those of a part of it, which may not break a word."""

    def __init__(self, text: str, lexicon: Lexicon) -> None:
        self._text, self._lexicon = text, lexicon
        words = _SPACED_WORD.findall(text)
        capitals = sum(word[0].isupper() for word in words)
        self._titled = len(words) > 2 and capitals > _TITLED * len(words)
        self._asks = _AUXILIARY.search(text.lower()) is not None

    def demands(self, first: int, end: int) -> Iterator[Demand]:
        """The demands of a part of the text."""
        tokens = list(_TOKEN.finditer(self._text, first, end))
        raw = ["", *(match.group().lower() for match in tokens), ""]
        last: Demand | None = None
        for nth, match in enumerate(tokens):
            found = self._of(match, raw[nth], raw[nth + 2])
            if last and found and (phrase := self._phrase(last, found[0])):
                found, last = [phrase], None
            if last:
                yield last
            last = found.pop() if found else None
            yield from found
        if last:
            yield last

    def _of(self, match: re.Match[str], before: str, after: str) -> list[Demand]:
        token = match.group()
        if match["unspaced"]:
            return list(unspaced_demands(fold(token), self._lexicon))
        if match["number"]:
            bare = token.replace(",", "") if _GROUPED.fullmatch(token) else token
            return [Demand(bare, "number", WEIGHTS["number"], {bare: 1.0})]
        if match["code"] and (_CODE.search(token) or token.isupper()):
            return [self._code(fold(token))]
        said = self._text[: match.start()].rstrip(" \"'\u201c(")
        begins = not said or said[-1] in ".!?:\u3002\uff1f"
        ends = not after or after in _AFTER_VERB
        if _acts(token.lower(), before, self._asks and ends):
            scale = VERB
        elif before in _ASKING:
            scale = ASKED
        else:
            scale = 1.0 if ends or after in STOP_WORDS else MODIFIES
        return self._word(token, begins, scale)

    def _code(self, folded: str) -> Demand:
        bare = re.sub(r"^v(?=\d)", "", folded)
        parts = tuple(dict.fromkeys(term for term in self._lexicon.analyzer.terms(bare) if term != bare))
        return Demand(bare, "code", WEIGHTS["code"], {bare[:TERM_LIMIT]: 1.0}, parts, 0.25)

    def _word(self, token: str, begins: bool, scale: float) -> list[Demand]:
        if _ACRONYMS.fullmatch(token):
            token = token[:-1]
        folded = fold(token).removesuffix("'s")
        capital = token[:1].isupper() and not self._titled
        if len(token) == 1 and capital and not begins and folded not in STOP_WORDS:
            return [Demand(folded, "code", WEIGHTS["code"], {folded: 1.0})]  # «plan B», «gate C»
        if folded in STOP_WORDS and (begins or not capital or len(token) == 1):
            return []
        base = self._lexicon.analyzer.base_form(folded.replace("-", "")) or folded
        if base.isdecimal() and not light(folded):  # «five» is 5
            return [Demand(base, "number", WEIGHTS["number"], {base: 1.0})]
        rare = rarity(folded)
        kind: DemandKind = "word"
        if _MIXED.search(token) and (not token.islower() or re.search(r"\d", token)):
            kind = "code"
        elif capital and not token.isupper():
            unknown = rare == 1.0 and not self._lexicon.concepts.senses(base)
            kind = "name" if not begins or unknown else "word"
        if kind != "word":
            weight = WEIGHTS[kind]
        elif light(folded) or light(base):
            weight = LIGHT
        else:
            weight = (0.7 + 0.3 * rare) * scale
        return [Demand(base, kind, weight, {base: 1.0} | covering(base, self._lexicon, kind))]

    def _phrase(self, first: Demand, second: Demand) -> Demand | None:
        """Two words that mean something together, as one demand."""
        both = f"{first.text} {second.text}"
        terms = covering(both, self._lexicon)
        if not terms or first.kind != "word":
            return None
        return Demand(both, "word", max(first.weight, second.weight), terms, (first.text, second.text))


def _acts(word: str, before: str, ends: bool) -> bool:
    """Whether the word is probably a verb or an adjective, by the words around it."""
    if before in _BEFORE_VERB or word.endswith("ed"):
        return True
    if before == "what":
        return word.endswith("s") or word in BASE_FORMS
    return ends and before != "" and before not in STOP_WORDS
