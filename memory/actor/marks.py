"""How far the memory actor has come, in a file: it may be lost, then all is looked at again and nothing changes."""

import os
from pathlib import Path
from typing import Final

import msgspec

__all__ = ["Checkpoint", "read_marks", "write_marks"]

NAME: Final = "marks.json"


class Checkpoint(msgspec.Struct, frozen=True):
    """How far it is in the log `identity`: `told` histories, `heard` messages, `consolidated` memories.

    `daily_ns`: when the last daily run was, by the log's time; 0 for never.
    """

    identity: str
    told: int = 0
    heard: int = 0
    consolidated: int = 0
    daily_ns: int = 0


def read_marks(folder: Path, identity: str) -> Checkpoint:
    """What the folder says, a new beginning where it says nothing of this log."""
    try:
        marks = msgspec.json.decode((folder / NAME).read_bytes(), type=Checkpoint)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return Checkpoint(identity)
    return marks if marks.identity == identity else Checkpoint(identity)


def write_marks(folder: Path, marks: Checkpoint) -> None:
    """Replaces the file. Raises: `OSError`."""
    new = folder / f"{NAME}.new"
    new.write_bytes(msgspec.json.encode(marks))
    os.replace(new, folder / NAME)
