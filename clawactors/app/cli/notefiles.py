"""The files that `claw memory import` reads: those that are named, and those of the folders that are named."""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from clawactors.app.cli.output import counted, note
from clawactors.app.problem import Problem

__all__ = ["NoteFile", "note_files"]

_ENDINGS: Final = frozenset(("md", "markdown", "txt", "jsonl", "ndjson"))
_TOLD: Final = 5


class NoteFile(NamedTuple):
    """A file to read, and what it is called: the session of its notes."""

    path: str
    name: str


def note_files(names: Iterable[str], endings: Collection[str] = ()) -> list[NoteFile]:
    """The files in order. Of a folder: its notes and those below it, but nothing hidden; others are told and left out.

    `endings` are further ones that a folder is searched for. Raises: `Problem` for a folder without notes.
    """
    files: list[NoteFile] = []
    for name in names:
        folder = Path(name).expanduser()
        files += _within(folder, _ENDINGS | set(endings)) if folder.is_dir() else [NoteFile(name, folder.name)]
    return files


def _within(folder: Path, endings: Collection[str]) -> list[NoteFile]:
    every = list(_visible(folder))
    found = [NoteFile(str(path), path.relative_to(folder).as_posix()) for path in every if _ending(path) in endings]
    if not found:
        kinds = ", ".join(f".{ending}" for ending in sorted(endings))
        raise Problem("usage", f"{folder} holds no notes ({kinds})", "name files, or another folder")
    if left := Counter(_ending(path) or "no ending" for path in every if _ending(path) not in endings):
        kinds = ", ".join(f"{count} {ending}" for ending, count in left.most_common(_TOLD))
        note(f"{folder}: {counted(left.total(), 'file')} left out, of other kinds ({kinds}); name them to import them")
    return found


def _visible(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place) / name for name in sorted(names) if not name.startswith("."))


def _ending(path: Path) -> str:
    return path.suffix.lower().removeprefix(".")
