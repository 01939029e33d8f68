"""Where the files of tasks lie while their code runs: a folder for each process, gone with it.

A process that was killed leaves its folder; the next one on the machine that needs a folder removes it. A lock that
ends with its process says whose are in use.
"""

import contextlib
import os
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Final

__all__ = ["FOLDER_PREFIX", "new_folder"]

FOLDER_PREFIX: Final = "claw-files-"

_making = threading.Lock()
_own: Final[dict[int, str]] = {}
"""The folder, by the process that has made it: a process that was forked makes its own."""


def new_folder() -> str:
    """A new empty folder that nobody else can read; it blocks for a moment. Raises: `OSError`."""
    with _making:
        own = _own.get(os.getpid(), "")
        if not os.path.isdir(own):
            _remove_left()
            own = _own[os.getpid()] = tempfile.mkdtemp(prefix=FOLDER_PREFIX)
            _lock(own)
        return tempfile.mkdtemp(dir=own)


def _remove_left() -> None:
    """Removes what killed processes of this user have left."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            os.close(_lock(str(folder)))
            shutil.rmtree(folder, ignore_errors=True)


def _lock(folder: str) -> int:
    """Holds it until the process ends, or the descriptor is closed. Raises: `OSError` where another holds it."""
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
