"""Notes from files: one memory per paragraph or list entry of Markdown, one per line of JSON Lines."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final, get_args

from clawactors.memory.text.date import parse_date
from clawactors.memory.text.importance import importance, tone
from clawactors.memory.text.normal import clean
from clawactors.memory.text.sentence import sentences
from clawactors.systems.memories import Content, Kind

__all__ = ["CHUNK_LIMIT", "chunks", "from_jsonl", "from_markdown"]

CHUNK_LIMIT: Final = 4000
"""Longer texts become several memories, so that a search finds the part that answers."""

_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*$")
_ENTRY = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s+)?(.*)")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_KINDS: Final = get_args(Kind.__value__)


def chunks(text: str, limit: int = CHUNK_LIMIT) -> list[str]:
    """The text in chunks of at most `limit` characters, split between sentences."""
    text = clean(text)
    if len(text) <= limit:
        return [text] if text else []
    found: list[str] = []
    piece = ""
    for sentence in sentences(text):
        if piece and len(piece) + 1 + len(sentence) > limit:
            found.append(piece)
            piece = ""
        piece = f"{piece} {sentence}" if piece else sentence
    return [*found, piece] if piece else found


def from_markdown(text: str, *, owner: str = "", session: str = "", tags: tuple[str, ...] = ()) -> Iterator[Content]:
    """The memories of a Markdown file; the headings above a paragraph become its tags."""
    headings: list[tuple[int, str]] = []
    position = 0
    for heading, paragraph in _paragraphs(clean(text)):
        if heading:
            headings = [*(one for one in headings if one[0] < heading), (heading, paragraph[:64])]
            continue
        for piece in chunks(paragraph):
            under = tuple(dict.fromkeys((*tags, *(name for _, name in headings))))
            yield _content(piece, owner=owner, session=session, position=position, tags=under)
            position += 1


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Pairs of heading level and text; level 0 is a paragraph. Fenced code stays together."""
    lines: list[str] = []
    fenced = False

    def gathered() -> Iterator[tuple[int, str]]:
        if lines:
            yield 0, "\n".join(lines) if fenced else " ".join(line.strip() for line in lines)
            lines.clear()

    for line in text.split("\n"):
        if _FENCE.match(line):
            yield from gathered()
            fenced = not fenced
        elif fenced:
            lines.append(line)
        elif match := _HEADING.match(line):
            yield from gathered()
            yield len(match[1]), match[2]
        elif match := _ENTRY.match(line):
            yield from gathered()
            lines.append(match[1])
        elif line.strip():
            lines.append(line)
        else:
            yield from gathered()
    yield from gathered()


def from_jsonl(text: str, *, owner: str = "", session: str = "") -> Iterator[Content | str]:
    """The memories of JSON Lines: objects with `text` and optional `owner speaker session tags date kind`.

    An invalid line gives an error message; the other lines are still read.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield f"line {number}: invalid JSON: {error}"
            continue
        if not isinstance(entry, dict) or not isinstance(entry.get("text"), str) or not clean(entry["text"]):
            yield f"line {number}: expected an object with a non-empty text"
            continue
        yield from _entries(entry, owner, session, number)


def _entries(entry: dict[str, Any], owner: str, session: str, position: int) -> Iterator[Content]:
    tags = entry.get("tags")
    kind = entry.get("kind")
    for piece in chunks(entry["text"]):
        yield _content(
            piece,
            owner=str(entry.get("owner") or owner),
            speaker=str(entry.get("speaker") or ""),
            session=str(entry.get("session") or session),
            position=position,
            tags=tuple(map(str, tags)) if isinstance(tags, list) else (),
            happened_ns=parse_date(str(entry.get("date") or "")),
            kind=kind if kind in _KINDS else "raw",
        )


def _content(text: str, **fields: Any) -> Content:
    return Content(text=text, importance=importance(text), tone=tone(text), origin="import", **fields)
