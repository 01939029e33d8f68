"""A note in the folder of a store that nobody must trust any more, and why."""

import contextlib
from pathlib import Path
from typing import Final

__all__ = ["STORE_FILE", "damage_noted", "distrust", "note_damage"]

STORE_FILE: Final = "data.mdb"

_NOTE: Final = "damaged"


def note_damage(path: Path, reason: str) -> None:
    """Has nobody trust the store in that folder again."""
    with contextlib.suppress(OSError):
        (path / _NOTE).write_text(reason)


def damage_noted(path: Path) -> str:
    """What somebody found wrong with the store in that folder, '' where nobody did."""
    try:
        return (path / _NOTE).read_text(errors="replace") or "it could not be read"
    except OSError:
        return ""


def distrust(folder: Path, died_of: str) -> None:
    """Notes for all stores below the folder that the process which used them died of a signal for a fault."""
    for file in folder.glob(f"**/{STORE_FILE}"):
        note_damage(file.parent, f"the process that used it was ended by {died_of}")
