"""The stores of one projection: numbered folders, and a file that names the live one.

1. One rename switches the live revision, so a reader finds the old one or the new one.
2. Only the projector switches. The old folder is removed when no process reads it.
3. Of damaged revisions the newest is kept aside for a person to look at, and why it was replaced is on record.
"""

import contextlib
import shutil
from pathlib import Path
from typing import Final

import msgspec

from clawactors.eventlog import Corrupt, EventLogError
from clawactors.projections.engine import durable
from clawactors.projections.engine.store import Store

__all__ = ["PAST", "Healed", "Revisions"]

PAST: Final = "past"
"""The folder of views of past moments, below that of the revisions."""
_ASIDE: Final = "damaged-"


class Healed(msgspec.Struct, frozen=True):
    """When a damaged revision was replaced, why, and the folder that keeps it."""

    at_ns: int
    reason: str
    folder: str


class Revisions:
    """The revisions of the projection `name` below `folder`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self._pointer = folder / f"{name}.live"
        self._healed = folder / f"{name}.healed"

    def live(self) -> Path | None:
        """The folder of the live revision, None where there is none."""
        try:
            number = int(self._pointer.read_text())
        except (OSError, ValueError):
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

    def put_aside(self, path: Path, reason: str, at_ns: int) -> None:
        """Keeps a damaged revision under another name, in place of the one that was kept before."""
        kept = self.folder / f"{_ASIDE}{path.name}"
        for older in self.folder.glob(f"{_ASIDE}{self.name}@*"):
            self.discard(older)
        try:
            path.rename(kept)
        except OSError:
            self.discard(path)
        with contextlib.suppress(OSError):
            durable.replace(self._healed, msgspec.json.encode(Healed(at_ns, reason, str(kept))))

    def discard_copies(self) -> None:
        """Removes what else was made of the log: the damaged revision that was kept, and views of past moments."""
        for path in (*self.folder.glob(f"{_ASIDE}{self.name}@*"), self.folder / PAST):
            shutil.rmtree(path, ignore_errors=True)

    def healed(self) -> Healed | None:
        """What was replaced last because it was damaged."""
        try:
            return msgspec.json.decode(self._healed.read_bytes(), type=Healed)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None

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
