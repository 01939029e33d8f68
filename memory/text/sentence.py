"""Cutting text into sentences, in English and other spaced scripts, and in Chinese."""

import re

__all__ = ["SENTENCE_LIMIT", "sentences"]

SENTENCE_LIMIT = 1000
"""Longer stretches without an end (logs, code, encoded bytes) are cut at this many characters."""

# An end before a space, a full-width end anywhere, a new line.
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


def sentences(text: str) -> list[str]:
    """The sentences in order, trimmed, none empty; joined they hold every visible character of the text."""
    found: list[str] = []
    start = 0
    for end in _END.finditer(text):
        if end["latin"] and _goes_on(text, start, end):
            continue
        _push(found, text[start : end.end()])
        start = end.end()
    _push(found, text[start:])
    return found


def _goes_on(text: str, start: int, end: re.Match[str]) -> bool:
    """True where the dot ends an abbreviation, or what follows is no beginning."""
    if end.group()[0] != ".":
        return False
    following = text[end.end() : end.end() + 2].lstrip(" ")[:1]
    if following.islower():
        return True
    # A sentence may end with an initial or a month, but far more often a name or a day goes on.
    before = text[max(start, end.start() - 12) : end.start() + 1]
    return following != "" and following != "\n" and _ABBREVIATION.search(before) is not None


def _push(found: list[str], piece: str) -> None:
    piece = piece.strip()
    while len(piece) > SENTENCE_LIMIT:
        cut = piece.rfind(" ", SENTENCE_LIMIT // 2, SENTENCE_LIMIT)
        cut = cut if cut > 0 else SENTENCE_LIMIT
        found.append(piece[:cut].rstrip())
        piece = piece[cut:].lstrip()
    if piece:
        found.append(piece)
