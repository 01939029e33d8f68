"""Compresses a text to a few of its own sentences, with keywords. It needs no cluster and no model."""

from collections.abc import Sequence
from functools import cache
from typing import Final

import msgspec

from clawactors.memory.consolidation.keyword import KEYWORDS, keywords
from clawactors.memory.consolidation.summary import SUMMARY_LIMIT, summary
from clawactors.memory.ingest.markdown import prose
from clawactors.memory.text.lexicon import Lexicon
from clawactors.memory.text.normal import clean
from clawactors.memory.text.sentence import sentences
from clawactors.runtime.packing import Count, token_count

__all__ = ["Compressed", "compress"]

_SHORTEST: Final = 6
"""Bits with fewer letters are what is left of lists and quotations."""


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

    Whole sentences of the text, in its order, without headings, tables and code; one that is longer than `chars` is
    cut. A text that fits stays as it is. `count` counts tokens. Raises: `ValueError` for negative numbers.
    """
    if chars < 0 or keywords < 0:
        raise ValueError("chars and keywords are 0 or more")
    text = clean(text)
    lexicon = _lexicon()
    parts = [sentence for part in prose(text) for sentence in sentences(part)]
    short = text
    if len(text) > chars:
        said = [part for part in parts if sum(map(str.isalnum, part)) >= _SHORTEST] or parts
        short = summary([("", part) for part in said], lexicon.terms, chars) if chars else ""
    return Compressed(
        text=short,
        keywords=_keywords(parts, lexicon, keywords),
        chars=len(short),
        chars_before=len(text),
        tokens=count(short),
        tokens_before=count(text),
    )


def _keywords(parts: Sequence[str], lexicon: Lexicon, most: int) -> tuple[str, ...]:
    return tuple(keywords(parts, lexicon.analyzer, most)) if most else ()


@cache
def _lexicon() -> Lexicon:
    return Lexicon()
