"""Notes from files, by the end of their names: Markdown, JSON Lines, exports of chats (JSON, ZIP), plain text."""

import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Final, cast

from msgspec.structs import replace

from clawactors.kernel.errors import Refused
from clawactors.memory.ingest.exports import ExportedNote, from_export
from clawactors.memory.ingest.jsonlines import DATES, Dropped, from_jsonl
from clawactors.memory.ingest.lines import DAMAGED_SHOWN, TextLines
from clawactors.memory.ingest.markdown import from_markdown, from_text
from clawactors.memory.text.date import DateReader
from clawactors.systems.memories import Content

__all__ = ["NoteReader", "notes_in"]

type NoteReader = Callable[[Iterable[str]], Iterable[Content]]
"""From the lines of a file to memories; owner, session and tags are filled in where it names none."""

_BUILT_IN_ONLY: Final[Mapping[str, NoteReader]] = {}
_CONVERSATIONS = re.compile(r"(?:^|/)conversations(?:-\d+)?\.json$")


def notes_in(
    file: BinaryIO,
    name: str,
    *,
    owner: str = "",
    session: str = "",
    tags: tuple[str, ...] = (),
    encoding: str = "",
    dates: DateReader = DATES,
    readers: Mapping[str, NoteReader] = _BUILT_IN_ONLY,
) -> Iterator[Content | ExportedNote | Dropped]:
    """The memories of the file, in its order, and what is dropped of it. Flat in memory.

    `readers` are further ones, by the end of the name without the dot; they come first.
    Notes of Markdown and plain text belong to the session `name`, unless another one is given.
    Raises: `Refused` for what is no text, and for JSON that is no export.
    """
    if name.lower().endswith(".zip"):
        yield from _in_archive(file, owner=owner, tags=tags)
        return
    with TextLines(file, encoding) as lines:
        suffix = name.rpartition(".")[2].lower() if "." in name else ""
        match suffix:
            case own if own in readers:
                for note in _read_by(readers[own], own, (line.text for line in lines)):
                    named = {"owner": note.owner or owner, "session": note.session or session or name}
                    yield replace(note, **named, tags=note.tags or tags, origin="import")
            case "json":
                yield from from_export(lines.read, owner=owner, tags=tags)
            case "jsonl" | "ndjson":
                yield from from_jsonl(lines, owner=owner, session=session, tags=tags, dates=dates)
            case "md" | "markdown":
                texts = (line.text for line in lines)
                yield from from_markdown(texts, owner=owner, session=session or name, tags=tags, dates=dates)
            case _:
                texts = (line.text for line in lines)
                yield from from_text(texts, owner=owner, session=session or name, tags=tags)
        if lines.damaged:
            why = f"bytes that are no {lines.encoding} were replaced by \ufffd; --encoding names another"
            yield Dropped(_where(lines.damaged), why)


def _read_by(reader: NoteReader, ending: str, lines: Iterable[str]) -> Iterator[Content]:
    try:
        yield from reader(lines)
    except Refused:
        raise
    except Exception as error:  # whatever code of users raises
        raise Refused(f"the reader of .{ending} files fails: {type(error).__name__}: {error}") from error


def _in_archive(file: BinaryIO, **options: Any) -> Iterator[Content | ExportedNote | Dropped]:
    """The memories of an export as it is downloaded: it may hold its conversations in several files."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = sorted(name for name in archive.namelist() if _CONVERSATIONS.search(name))
            if not names:
                raise Refused("the archive holds no conversations.json: it is no export of ChatGPT or Claude")
            for name in names:
                with archive.open(name) as part, TextLines(cast("BinaryIO", part)) as lines:
                    yield from from_export(lines.read, **options)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Refused(f"the archive can't be read: {error}") from None


def _where(damaged: list[int]) -> str:
    shown = ", ".join(map(str, damaged[:DAMAGED_SHOWN])) + (" …" if len(damaged) > DAMAGED_SHOWN else "")
    return "somewhere" if damaged == [0] else f"line {shown}" if len(damaged) == 1 else f"lines {shown}"
