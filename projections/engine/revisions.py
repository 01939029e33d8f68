"""The stores of one projection: numbered folders, and a file that names the live one.

1. One rename switches the live revision, so a reader finds the old one or the new one.
2. Only the projector switches. The old folder is removed when no process reads it.
"""

import contextlib
import shutil
from pathlib import Path

from clawactors.eventlog import Corrupt, EventLogError
from clawactors.projections.engine import durable
from clawactors.projections.engine.store import Store

__all__ = ["Revisions"]


class Revisions:
    """The revisions of the projection `name` below `folder`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self._pointer = folder / f"{name}.live"

    def live(self) -> Path | None:
        """The folder of the live revision, None where there is none."""
        try:
            number = int(self._pointer.read_text())
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None
        path = self._path(number)
        return path if path.is_dir() else None

    def begun(self) -> Path:
        """The folder of the revision that is being built: one that was begun and not finished, or the next."""
        live = self._number(self.live())
        newest = max(self.numbers(), default=0)
        return self._path(newest if newest > live else max(newest, live) + 1)

    def discard(self, path: Path) -> None:
        """Removes an unusable revision."""
        shutil.rmtree(path, ignore_errors=True)

    def switch(self, to: Path) -> None:
        """Makes that revision the live one, durably."""
        durable.replace(self._pointer, str(self._number(to)).encode())

    def sweep(self) -> None:
        """Removes older revisions that no process reads."""
        live = self._number(self.live())
        for number in self.numbers():
            if number < live and not _is_read(self._path(number)):
                self.discard(self._path(number))

    def _path(self, number: int) -> Path:
        return self.folder / f"{self.name}@{number}"

    def _number(self, path: Path | None) -> int:
        return 0 if path is None else int(path.name.rpartition("@")[2])

    def numbers(self) -> list[int]:
        """The revisions that are there."""
        numbers = []
        for path in self.folder.glob(f"{self.name}@*"):
            with contextlib.suppress(ValueError):
                numbers.append(int(path.name.rpartition("@")[2]))
        return numbers


def _is_read(path: Path) -> bool:
    try:
        store = Store.open(path, (), readonly=True)
    except Corrupt:
        return False
    except EventLogError:
        return True
    try:
        return store.is_read_by_any
    finally:
        store.close()
