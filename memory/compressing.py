"""Compresses a text to a few of its own sentences, with keywords. It needs no cluster and no model."""

from functools import cache

import msgspec

from clawactors.memory.consolidation.keyword import KEYWORDS, keywords
from clawactors.memory.consolidation.summary import SUMMARY_LIMIT, summary
from clawactors.memory.text.lexicon import Lexicon
from clawactors.memory.text.normal import clean
from clawactors.memory.text.sentence import sentences
from clawactors.runtime.packing import Count, token_count

__all__ = ["Compressed", "compress"]


class Compressed(msgspec.Struct, frozen=True, kw_only=True):
    """A text in short, and its sizes before and after in characters and tokens."""

    text: str
    keywords: tuple[str, ...]
    chars: int
    chars_before: int
    tokens: int
    tokens_before: int


def compress(
    text: str, chars: int = SUMMARY_LIMIT, *, keywords: int = KEYWORDS, count: Count = token_count
) -> Compressed:
    """At most `chars` characters of the text, and at most `keywords` keywords, the best first.

    Whole sentences of the text, in its order; one that is longer than `chars` is cut. A text that fits stays as it is.
    `count` counts tokens.
    Raises: `ValueError` for negative numbers.
    """
    if chars < 0 or keywords < 0:
        raise ValueError("chars and keywords are 0 or more")
    text = clean(text)
    lexicon = _lexicon()
    short = text if len(text) <= chars else summary([("", text)], lexicon.terms, chars) if chars else ""
    return Compressed(
        text=short,
        keywords=_keywords(text, lexicon, keywords),
        chars=len(short),
        chars_before=len(text),
        tokens=count(short),
        tokens_before=count(text),
    )


def _keywords(text: str, lexicon: Lexicon, most: int) -> tuple[str, ...]:
    return tuple(keywords(sentences(text), lexicon.analyzer, most)) if most else ()


@cache
def _lexicon() -> Lexicon:
    return Lexicon()
