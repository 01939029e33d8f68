"""Splits text into sentences, in spaced scripts and in Chinese, and recognizes questions."""

import re

__all__ = ["SENTENCE_LIMIT", "is_question", "sentences"]

SENTENCE_LIMIT = 1000
"""Longer text without a sentence end (logs, code, encoded bytes) is split at this many characters."""

# A sentence end before a space, a full-width end anywhere, a new line.
_END = re.compile(
    "(?P<latin>[.!?\u2026]+[\"'\u201d\u2019)\\]\u00bb]*)(?=\\s|$|[\u3400-\u9fff])"
    "|[\u3002\uff01\uff1f!?\uff1b\u2026\uff61]+[\u201d\u2019\u300d\u300f\uff09)\"']*"
    "|\u061f+|\u0964+|\\n\\s*"
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'\u201c\u2018])(?:mr|mrs|ms|dr|prof|sr|jr|st|vs|etc|e\.g|i\.e|no|fig|vol|inc|ltd|co|dept|approx|a\.m|p\.m"
    r"|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|[a-z]|[a-z]\.[a-z])\.$",
    re.IGNORECASE,
)
_QUESTION = re.compile('[?\uff1f\u061f]\\s*["\u201d\u2019\u300d\u300f)\uff09]*\\s*$')


def sentences(text: str) -> list[str]:
    """The sentences in order, trimmed, none empty; together they hold every visible character of the text."""
    found: list[str] = []
    start = 0
    for end in _END.finditer(text):
        if end["latin"] and _continues(text, start, end):
            continue
        _append(found, text[start : end.end()])
        start = end.end()
    _append(found, text[start:])
    return found


def _continues(text: str, start: int, end: re.Match[str]) -> bool:
    """True if the dot ends an abbreviation, or the next word does not begin a sentence."""
    if end.group()[0] != ".":
        return False
    following = text[end.end() : end.end() + 2].lstrip(" ")[:1]
    if following.islower():
        return True
    # A sentence may end with an initial or a month, but far more often a name or a date continues.
    before = text[max(start, end.start() - 12) : end.start() + 1]
    return following != "" and following != "\n" and _ABBREVIATION.search(before) is not None


def _append(found: list[str], piece: str) -> None:
    piece = piece.strip()
    while len(piece) > SENTENCE_LIMIT:
        cut = piece.rfind(" ", SENTENCE_LIMIT // 2, SENTENCE_LIMIT)
        cut = cut if cut > 0 else SENTENCE_LIMIT
        found.append(piece[:cut].rstrip())
        piece = piece[cut:].lstrip()
    if piece:
        found.append(piece)


def is_question(text: str) -> bool:
    """True for a text that ends with a question: it seldom answers another one."""
    return _QUESTION.search(text) is not None
