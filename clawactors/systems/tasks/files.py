"""Files of tasks: a reference in JSON stands for bytes in the object store, of any size.

1. `{"$file": name, "bytes": size, "sha256": digest}`; `parts` names the list of its parts, where it has several.
2. A reference may stand anywhere in parameters and results. What only looks like one is a plain value.
3. A name is one component of a path that any system can hold: it never leads out of a folder.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated, Any, Final

import msgspec

from clawactors.kernel.errors import Refused

__all__ = ["FILE_KEY", "NAME_MAX_BYTES", "StoredFile", "checked_name", "file_in", "files_in", "is_file", "stored_file"]

FILE_KEY: Final = "$file"
NAME_MAX_BYTES: Final = 255

_DEPTH: Final = 100

type _Name = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class StoredFile(msgspec.Struct, frozen=True, omit_defaults=True, rename={"name": FILE_KEY, "size_bytes": "bytes"}):
    """What stands for a file, in parameters and results. `sha256` is that of all its bytes."""

    name: str
    size_bytes: Annotated[int, msgspec.Meta(ge=0)]
    sha256: _Name
    parts: _Name | None = None

    @property
    def blob(self) -> str:
        """The stored value that holds the file, or the list of its parts."""
        return self.parts or self.sha256


def is_file(value: Any) -> bool:
    """True where the value stands for a file."""
    return file_in(value) is not None


def file_in(value: Any) -> StoredFile | None:
    """The file that the value stands for, None where it is another value or has a name that no file may have."""
    if isinstance(value, StoredFile):
        found = value
    elif isinstance(value, dict) and FILE_KEY in value:
        try:
            found = msgspec.convert(value, StoredFile)
        except msgspec.ValidationError:
            return None
    else:
        return None
    return None if _why_not(found.name) else found


def stored_file(value: Any) -> StoredFile:
    """The file that the value stands for. Raises: `Refused` where it is another value."""
    if (found := file_in(value)) is None:
        raise Refused(f"that is no reference to a file: {repr(value)[:60]}")
    return found


def files_in(value: Any) -> Iterator[tuple[str, StoredFile]]:
    """All files in a value, in its order, each with its path in there, as in `reports.0`."""
    todo: list[tuple[str, Any, int]] = [("", value, 0)]
    while todo:
        path, each, depth = todo.pop()
        if (found := file_in(each)) is not None:
            yield path, found
        elif isinstance(each, dict | list) and depth < _DEPTH:
            inner = each.items() if isinstance(each, dict) else enumerate(each)
            todo += [(f"{path}.{key}" if path else str(key), part, depth + 1) for key, part in reversed([*inner])]


def checked_name(name: object) -> str:
    """The name of a file. Raises: `Refused` where it could not be a file's in every folder."""
    if why := _why_not(name):
        raise Refused(f"{repr(name)[:60]} can't be the name of a file: {why}")
    return str(name)


def _why_not(name: object) -> str:
    """What is wrong with it, '' for nothing."""
    if not isinstance(name, str) or not name:
        return "it is a text that is not empty"
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return "it is no valid Unicode"
    if size > NAME_MAX_BYTES:
        return f"it has at most {NAME_MAX_BYTES} bytes"
    if not name.isprintable():
        return "it has printable characters only"
    if name in (".", "..") or PurePosixPath(name).name != name or PureWindowsPath(name).name != name:
        return "it is a name, not a path"
    return ""
