"""Notes from the command line: words, standard input, or files of Markdown, JSON Lines or plain text."""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from clawactors.app.cli.memoryrows import memory_table
from clawactors.app.cli.output import emit, note
from clawactors.app.cli.problem import EXITS, Problem
from clawactors.app.client import Client
from clawactors.kernel.time import iso
from clawactors.runtime.memory import StoredNote
from clawactors.systems.memories import Content

__all__ = ["add", "import_files"]

_WORDS_MAX = 4000
"""Longer texts are cut into several memories, between sentences."""


async def add(client: Client, options: Any) -> int:
    """`claw memory add TEXT|@FILE|-`: adds the note, or those of the file; returns the new rows."""
    words = options.words
    if len(words) == 1 and words[0].startswith("@"):
        return await import_files(client, options)
    text = sys.stdin.read() if words == ["-"] else " ".join(words)
    return await _keep(client, options, [_note(options, piece) for piece in _pieces(text)])


async def import_files(client: Client, options: Any) -> int:
    """`claw memory import FILE …`: adds every note of the files; reports those it cannot read."""
    contents: list[Content] = []
    for name in options.words:
        for found in _in_file(name.removeprefix("@"), options):
            if isinstance(found, str):
                note(f"{name}: {found}")
            else:
                contents.append(found)
    return await _keep(client, options, contents)


async def _keep(client: Client, options: Any, contents: Sequence[Content]) -> int:
    kept = await client.memories.record_many(contents)
    refused = [one.refusal for one in kept if one.refusal]
    rows = [_row(one, content) for one, content in zip(kept, contents, strict=True) if not one.refusal]
    if refused and not rows:
        raise Problem("refused", refused[0])
    for refusal in refused:
        note(refusal)
    emit(options, rows, lambda: memory_table(rows))
    return EXITS["refused"] if refused else 0


def _row(kept: StoredNote, content: Content) -> dict[str, Any]:
    return {
        "id": kept.id,
        "kind": content.kind,
        "text": content.text,
        "excerpt": content.text[:200],
        "score": None,
        "owner": content.owner,
        "speaker": content.speaker,
        "session": content.session,
        "tags": content.tags,
        "at": iso(content.happened_ns or time.time_ns()),
        "sources": content.sources or (kept.version,),
        "version": kept.version,
        "new": kept.new,
    }


def _note(options: Any, text: str) -> Content:
    return Content(
        text=text,
        kind=options.kind or "raw",
        owner=options.owner,
        speaker=options.speaker,
        session=options.session,
        tags=tuple(options.tag),
        importance=0.6,  # somebody found it worth to be written down
    )


def _pieces(text: str) -> list[str]:
    if len(text) <= _WORDS_MAX and text.isprintable():
        return [text]
    from clawactors.memory.ingest.importing import chunks

    return chunks(text) or [""]


def _in_file(name: str, options: Any) -> Iterator[Content | str]:
    from clawactors.memory.ingest.importing import chunks, from_jsonl, from_markdown

    path = Path(name).expanduser()
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise Problem("usage", f"can't read {path}: {error.strerror or error}") from error
    session = options.session or path.name
    found: Iterable[Content | str]
    match path.suffix.lower():
        case ".jsonl" | ".ndjson":
            found = from_jsonl(text, owner=options.owner, session=options.session)
        case ".md" | ".markdown":
            found = from_markdown(text, owner=options.owner, session=session, tags=tuple(options.tag))
        case _:
            found = (_note(options, piece) for piece in chunks(text))
    yield from found
