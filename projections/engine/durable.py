"""Files that are synced to disk before they are used."""

import os
from pathlib import Path

__all__ = ["replace", "sync"]


def replace(path: Path, content: bytes) -> None:
    """Replaces the file atomically and durably: a reader finds the old content or the new, never a part."""
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(content)
    sync(new)
    new.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Syncs the file's content, or the names in the folder, to disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
