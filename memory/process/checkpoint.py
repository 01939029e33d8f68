"""How far the memory process has read, in a file. If it is lost, the log is read again, and nothing changes."""

import os
from pathlib import Path
from typing import Final

import msgspec

__all__ = ["Checkpoint", "read_checkpoint", "write_checkpoint"]

NAME: Final = "checkpoint.json"


class Checkpoint(msgspec.Struct, frozen=True):
    """The log sequences up to which `histories` and `messages` were read and memories were `consolidated`.

    `identity` names the log; `daily_ns` is the log time of the last daily consolidation, 0 for never.
    """

    identity: str
    histories: int = 0
    messages: int = 0
    consolidated: int = 0
    daily_ns: int = 0


def read_checkpoint(folder: Path, identity: str) -> Checkpoint:
    """The checkpoint in the folder; an empty one if there is none for this log."""
    try:
        checkpoint = msgspec.json.decode((folder / NAME).read_bytes(), type=Checkpoint)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return Checkpoint(identity)
    return checkpoint if checkpoint.identity == identity else Checkpoint(identity)


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Replaces the file. Raises: `OSError`."""
    new = folder / f"{NAME}.new"
    new.write_bytes(msgspec.json.encode(checkpoint))
    os.replace(new, folder / NAME)
