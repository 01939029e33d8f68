"""Notes from the command line: words, standard input, or files (Markdown, JSON Lines, exports of chats, plain text)."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self

from clawactors.app.cli.compressing import input_file
from clawactors.app.cli.memorydates import dates_for, said_at
from clawactors.app.cli.memoryrows import memory_table
from clawactors.app.cli.notefiles import NoteFile, note_files
from clawactors.app.cli.output import Part, counted, emit, note
from clawactors.app.cli.progress import ProgressBar
from clawactors.app.cli.rowspool import RowSpool
from clawactors.app.cli.session import ask_memory
from clawactors.app.client import Client
from clawactors.app.problem import EXITS, Problem
from clawactors.app.settings import data_folder
from clawactors.kernel.errors import Refused
from clawactors.kernel.time import iso
from clawactors.runtime.memory import StoredNote
from clawactors.systems.memories import Content

if TYPE_CHECKING:
    from clawactors.memory.ingest.importing import NoteReader
    from clawactors.memory.text.date import DateReader

__all__ = ["add", "import_files"]

_WORDS_MAX: Final = 4000
"""Longer texts are cut into several memories, between sentences."""
_TOGETHER: Final = 1000
_TOLD: Final = 20


async def add(client: Client, options: Any) -> int:
    """`claw memory add TEXT|@FILE|-`: adds the note, or those of the file; returns the new rows."""
    words = options.words
    if len(words) == 1 and words[0].startswith("@"):
        if options.at:
            raise Problem("usage", "--at dates one note; in a file, write dates beside the notes")
        return await import_files(client, options)
    text = sys.stdin.read() if words == ["-"] else " ".join(words)
    at_ns = await said_at(client, options)
    if options.key:
        return await _replace(client, options, _note(options, text, at_ns))
    with _Import(client, options) as adding:
        await adding.keep([(_note(options, piece, at_ns), "") for piece in _pieces(text)])
        return adding.end()


async def import_files(client: Client, options: Any) -> int:
    """`claw memory import FILE …`: adds every note of the files; reports what it drops, and ends with 1 then."""
    files = note_files((name.removeprefix("@") for name in options.words), _readers(options))
    sizes = [_size(each.path) for each in files]
    dates = await dates_for(client, options)
    with _Import(client, options) as importing:
        with ProgressBar("importing", sum(sizes), shown=not options.json) as bar:
            begun = 0
            for each, size in zip(files, sizes, strict=True):
                with input_file(each.path) as file:
                    await importing.file(each, file, dates, partial(_show, bar, begun))
                begun += size
        return importing.end()


def _show(bar: ProgressBar, begun: int, done: int) -> None:
    bar.at(begun + done)


class _Import:
    """Records notes and collects what became of them; `end` prints it and returns the exit code."""

    def __init__(self, client: Client, options: Any) -> None:
        self._client, self._options = client, options
        self._rows = RowSpool()
        self._known = self._dropped = 0
        self._refusal = ""
        self._told: list[str] = []

    async def file(self, named: NoteFile, file: BinaryIO, dates: "DateReader", progress: Callable[[int], None]) -> None:
        """Records the notes of a file."""
        from clawactors.memory.ingest.exports import ExportedNote
        from clawactors.memory.ingest.importing import notes_in
        from clawactors.memory.ingest.jsonlines import Dropped

        options = self._options
        found = notes_in(
            file,
            named.name,
            owner=options.owner or options.as_user,
            session=options.session,
            tags=tuple(options.tag),
            encoding=options.encoding,
            dates=dates,
            readers=_readers(options),
        )
        notes: list[tuple[Content, str]] = []
        refusal = ""
        try:
            for one in found:
                match one:
                    case Dropped():
                        self._drop(f"{named.path}: {one}")
                    case ExportedNote():
                        notes.append((one.content, one.key))
                    case _:
                        notes.append((one, ""))
                if len(notes) == _TOGETHER:
                    await self.keep(notes)
                    notes = []
                    progress(file.tell() if file.seekable() else 0)
        except Refused as error:
            refusal = f"{named.path}: {error}"
        await self.keep(notes)  # also of a file that turns out to be faulty further down
        if refusal:
            self._refusal = refusal
            self._drop(refusal)

    async def keep(self, notes: Sequence[tuple[Content, str]]) -> None:
        """Records these notes; each with the key that names it, or ''."""
        contents = [content for content, _ in notes]
        kept = await self._client.memories.record_many(contents, [key for _, key in notes])
        for one, content in zip(kept, contents, strict=True):
            if one.refusal:
                self._refusal = one.refusal
                self._drop(f"{one.refusal}: {content.text[:40]!r}")
            else:
                self._known += not one.new
                self._rows.add(_row(one, content))

    def _drop(self, told: str) -> None:
        self._dropped += 1
        if len(self._told) < _TOLD:
            self._told.append(told)

    def end(self) -> int:
        """Prints the rows. Raises: `Problem` where everything was refused."""
        rows = self._rows
        if self._refusal and not rows.count and self._dropped == 1:
            raise Problem("refused", self._refusal)
        for told in self._told:
            note(told)
        if self._dropped > _TOLD:
            note(f"and {self._dropped - _TOLD} more were dropped")
        if self._refusal and not rows.count:
            raise Problem("refused", self._refusal)
        rows.emit(self._options, self._parts)
        return EXITS["failed"] if self._dropped else 0

    def _parts(self) -> Iterator[Part]:
        rows = self._rows
        yield from memory_table(rows.first)
        if rows.count > len(rows.first):
            yield f"and {rows.count - len(rows.first)} more: --json lists all"
        if rows.count > 1:
            new = counted(rows.count - self._known, "new note")
            yield f"{new}, {self._known} known before, {self._dropped} dropped"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.__exit__()


async def _replace(client: Client, options: Any, content: Content) -> int:
    """Adds the note in place of what has its key."""
    id = await client.memories.record(content, options.key)
    row = (await ask_memory(client, "show", id=id))["row"]
    emit(options, [row], lambda: memory_table([row]))
    return 0


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
        "agent": content.agent,
        "tags": content.tags,
        "at": iso(content.happened_ns or time.time_ns()),
        "sources": content.sources or (kept.version,),
        "version": kept.version,
        "new": kept.new,
    }


def _note(options: Any, text: str, at_ns: int) -> Content:
    return Content(
        text=text,
        kind=options.kind or "raw",
        owner=options.owner or options.as_user,
        agent=options.agent,
        speaker=options.speaker,
        session=options.session,
        tags=tuple(options.tag),
        happened_ns=at_ns,
        importance=0.6,  # somebody found it worth to be written down
    )


def _readers(options: Any) -> "dict[str, NoteReader]":
    """The readers of files that the settings of memory name. Raises: `Misconfigured`."""
    from clawactors.memory.models.settings import imported, read_config

    config = read_config(data_folder(options.data), os.environ.get("CLAW_MEMORY_CONFIG", ""))
    return {ending.lower().lstrip("."): imported("corpus", use) for ending, use in config.corpus.items()}


def _pieces(text: str) -> list[str]:
    if len(text) <= _WORDS_MAX and text.isprintable():
        return [text]
    from clawactors.memory.ingest.chunking import chunks

    return chunks(text) or [""]


def _size(name: str) -> int:
    """The size of a file in bytes, 0 for a pipe. Raises: `Problem` before anything is imported."""
    with input_file(name) as file:
        return file.seek(0, 2) if file.seekable() and name != "-" else 0
