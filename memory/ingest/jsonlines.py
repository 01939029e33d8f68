"""JSON Lines as notes: one object a line, with `text` and optional `owner speaker session tags date kind`."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final, get_args

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.memory.ingest.chunking import chunks
from clawactors.memory.ingest.lines import LINE_LIMIT, Line
from clawactors.memory.text.date import DateReader
from clawactors.memory.text.importance import importance, tone
from clawactors.memory.text.normal import clean
from clawactors.systems.memories import Content, Kind

__all__ = ["DATES", "Dropped", "from_jsonl", "time_of"]

DATES: Final = DateReader()
"""Dates in UTC, without a locale."""
_KINDS: Final = get_args(Kind.__value__)
_MS_FROM: Final = 1e11
"""A greater number counts milliseconds: seconds reach it in the year 5138."""
_MOMENT_MAX_S: Final = 9.2e9


class Dropped(msgspec.Struct, frozen=True):
    """A part of a file that becomes no memory, and why; `where` is its line or its message."""

    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.why}"


def from_jsonl(
    lines: Iterable[Line],
    *,
    owner: str = "",
    session: str = "",
    tags: tuple[str, ...] = (),
    dates: DateReader = DATES,
) -> Iterator[Content | Dropped]:
    """The memories of JSON Lines. An invalid line is dropped; the other lines are still read."""
    skipped = 0
    for line in lines:
        if line.number == skipped or not line.text.strip():
            continue
        if line.more:
            skipped = line.number
            yield Dropped(f"line {line.number}", f"it is longer than {LINE_LIMIT} characters")
            continue
        try:
            yield from _notes(_entry(line.text), owner, session, tags, line.number, dates)
        except Refused as refusal:
            yield Dropped(f"line {line.number}", str(refusal))


def _entry(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Refused(f"invalid JSON: {error}") from None
    if not isinstance(entry, dict) or not isinstance(entry.get("text"), str) or not clean(entry["text"]):
        raise Refused("expected an object with a non-empty text")
    return entry


def _notes(
    entry: dict[str, Any], owner: str, session: str, tags: tuple[str, ...], position: int, dates: DateReader
) -> Iterator[Content]:
    given: Any = entry.get("tags")
    named: Any = entry.get("kind")
    kind: Kind = named if named in _KINDS else "raw"
    own = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    at_ns = time_of(entry.get("date"), dates)
    for piece in chunks(entry["text"]):
        yield Content(
            text=piece,
            owner=str(entry.get("owner") or owner),
            speaker=str(entry.get("speaker") or ""),
            session=str(entry.get("session") or session),
            position=position,
            tags=(*tags, *map(str, own)),
            happened_ns=at_ns,
            kind=kind,
            importance=importance(piece),
            tone=tone(piece),
            origin="import",
        )


def time_of(date: Any, dates: DateReader = DATES) -> int:
    """The time of a date as text, or in seconds or milliseconds since 1970, in ns; 0 for none.

    Raises: `Refused` for a date that can't be read: it is never taken for now.
    """
    if date is None or date == "":
        return 0
    if isinstance(date, int | float) and not isinstance(date, bool):
        seconds = date / 1000 if abs(date) >= _MS_FROM else date
        if abs(seconds) < _MOMENT_MAX_S:
            return int(seconds * 1_000_000) * 1000
    elif isinstance(date, str):
        try:
            return dates.time(date)
        except ValueError as error:
            raise Refused(str(error)) from None
    raise Refused(f"the date {str(date)[:40]!r} can't be read: write it as YYYY-MM-DD, or in seconds since 1970")
