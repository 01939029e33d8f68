"""The keywords of texts, as they were written."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from clawactors.memory.text.normal import fold
from clawactors.memory.text.stopword import STOP_CHARACTERS
from clawactors.memory.text.term import Analyzer
from clawactors.memory.text.thesaurus import CONCEPTS

__all__ = ["KEYWORDS", "keywords"]

KEYWORDS: Final = 5

_WORD = re.compile(r"[^\W\d_]{3,}(?:[-'][^\W\d_]+)*")
_RUN = re.compile("[\u3400-\u9fff]{2,}")
_LONGEST: Final = 4
_VAGUE: Final = frozenset(("time", "duration", "number", "reason", "name", "begin", "finish", "increase", "like"))
_KNOWN: Final = frozenset(
    word for concept, words in CONCEPTS.items() if concept not in _VAGUE for word in words if _RUN.fullmatch(word)
)
_WEAK_CHARACTERS: Final = STOP_CHARACTERS | frozenset("一二两三四五六七八九十百千万几多好大小再才只真天年月日号个")
_WEAK_WORDS = """
about after again all already always any anybody anyone anything away back bad bit both bring call came come day days
done else enough even every everybody everyone everything fine first give gone good got great half hear here home
keep kind know last least less let like little long look lot made make many may mean mind more most much must need
new next nice nobody none nothing now off once one only other part people place put quite ran right run said same say
says see seem sit some somebody someone something soon sorry start stay still stop such sure take talk tell thing
things think thought time told too took turn use used very want way week weeks went while whole word work year years
yesterday today tomorrow tonight completed failed step task attempt
"""
_WEAK: Final = frozenset(_WEAK_WORDS.split())


def keywords(texts: Sequence[str], analyzer: Analyzer, most: int = KEYWORDS) -> list[str]:
    """At most `most` keywords, best first: words of several texts and names rank higher; ties by spelling."""
    weights: Counter[str] = Counter()
    written: dict[str, Counter[str]] = {}
    for text in texts:
        found = {**_spaced(text, analyzer), **_unspaced(text)}
        for base, (form, weight) in found.items():
            weights[base] += round(weight * 100)
            written.setdefault(base, Counter())[form] += 1
    shared = {base for base, forms in written.items() if forms.total() > 1}
    ranked = sorted(weights, key=lambda base: (-weights[base] * (2 if base in shared else 1), base))
    chosen: list[str] = []
    for base in ranked:
        if _RUN.fullmatch(base) and base not in shared and base not in _KNOWN:
            continue
        form = min(written[base], key=lambda one: (-written[base][one], one))
        # A part of a longer keyword adds nothing.
        if not any(form in other or other in form for other in chosen):
            chosen.append(form)
        if len(chosen) == most:
            break
    return chosen


def _spaced(text: str, analyzer: Analyzer) -> dict[str, tuple[str, float]]:
    found: dict[str, tuple[str, float]] = {}
    for match in _WORD.finditer(text):
        word = match.group().removesuffix("'s")
        folded = fold(word)
        if _RUN.search(word) or folded in _WEAK or not (base := analyzer.base_form(folded)):
            continue
        inside = match.start() > 0 and text[match.start() - 2 : match.start()].strip(" ")[-1:] not in (
            "",
            ".",
            "!",
            "?",
        )
        named = inside and word[0].isupper()
        found[base] = (word if named else word.lower(), (1.5 if named else 1.0) * min(len(base), 8) / 8)
    return found


def _unspaced(text: str) -> dict[str, tuple[str, float]]:
    """Known words, and runs of two to four characters, which count as words once they recur."""
    found: dict[str, tuple[str, float]] = {}
    for run in _RUN.findall(text):
        for size in range(2, _LONGEST + 1):
            for at in range(len(run) - size + 1):
                piece = run[at : at + size]
                if piece in _KNOWN:
                    found[piece] = (piece, 0.6 + 0.1 * size)
                elif not _WEAK_CHARACTERS.intersection(piece):
                    found[piece] = (piece, 0.1 * size)
    return found
