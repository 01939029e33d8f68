"""Normal forms of text: safe to store (`clean`), and for comparison (`fold`)."""

import re
import unicodedata
from importlib import resources

__all__ = ["clean", "fold"]

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]+")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# Zero-width and direction marks, soft hyphen, variation selectors, skin tones, Arabic stretching: never part of a term.
_INVISIBLE = re.compile(
    "[\u00ad\u0640\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff\U0001f3fb-\U0001f3ff]"
)
# Latin, Greek and Cyrillic accents, Hebrew points, Arabic vowel signs and hamzas. Marks of other scripts carry meaning.
_MARK = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4]"
)


def _read_simplified() -> dict[int, str]:
    text = resources.files(__package__).joinpath("simplified.txt").read_text(encoding="utf-8")
    return {ord(pair[0]): pair[1] for pair in text.split()}


_SIMPLIFIED = _read_simplified()
"""Traditional Chinese characters and the simplified ones, from OpenCC (Apache-2.0)."""


def clean(text: str) -> str:
    """The text without control characters and lone surrogates, trimmed; otherwise unchanged."""
    if not text.isascii():
        text = _SURROGATE.sub("\ufffd", text)
    return _CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def fold(text: str) -> str:
    """The text without differences of width, case, accents, invisible and traditional characters.

    Offsets are not preserved.
    """
    if text.isascii():
        return text.lower()
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).casefold()
    text = unicodedata.normalize("NFC", _MARK.sub("", unicodedata.normalize("NFD", text))).replace("\u2019", "'")
    return text.translate(_SIMPLIFIED)
