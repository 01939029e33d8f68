"""Files and names that are on disk before anybody relies on them."""

import os
from pathlib import Path

__all__ = ["replace", "sync"]


def replace(path: Path, content: bytes) -> None:
    """Replaces the file at once and durably: whoever opens it finds the old content or the new, whole."""
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(content)
    sync(new)
    new.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """The file's content, or the names in the folder, are on disk when this returns."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
