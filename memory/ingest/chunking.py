"""Cuts long texts into pieces that a search can tell apart. Nothing is lost: the pieces hold the whole text."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from clawactors.memory.text.normal import clean
from clawactors.memory.text.sentence import sentences

__all__ = ["CHUNK_LIMIT", "Chunker", "chunks", "code_chunks", "shaped"]

CHUNK_LIMIT: Final = 4000
"""Longer texts become several memories, so that a search finds the part that answers."""


type Chunker = Callable[[str], Sequence[str]]
"""Cuts a text into pieces: each becomes a memory, so all of the text should be in them."""


def chunks(text: str, limit: int = CHUNK_LIMIT) -> list[str]:
    """The text in pieces of at most `limit` characters, cut between sentences; inside, line breaks stay."""
    text = clean(text)
    if len(text) <= limit:
        return [text] if text else []
    found: list[str] = []
    start = end = 0
    for sentence in sentences(text):
        at = text.index(sentence, end)
        if end > start and at + len(sentence) - start > limit:
            found.append(text[start:end])
            start = at
        elif end == start:
            start = at
        end = at + len(sentence)
    return [*found, text[start:end]] if end > start else found


def code_chunks(lines: Iterable[str], limit: int = CHUNK_LIMIT) -> Iterator[str]:
    """Lines in pieces of at most `limit` characters, cut between lines; indentation and empty lines stay."""
    piece: list[str] = []
    size = 0
    for line in map(shaped, lines):
        for part in (line[at : at + limit] for at in range(0, max(len(line), 1), limit)):
            if piece and size + len(part) + 1 > limit:
                yield from _joined(piece)
                piece, size = [], 0
            piece.append(part)
            size += len(part) + 1
    yield from _joined(piece)


def _joined(lines: list[str]) -> Iterator[str]:
    text = "\n".join(lines).rstrip()
    while text.startswith("\n"):
        text = text[1:]
    if text:
        yield text


def shaped(line: str) -> str:
    """The line without control characters and trailing space; its indentation stays."""
    body = clean(line)
    return line[: len(line) - len(line.lstrip(" \t"))] + body if body else ""
