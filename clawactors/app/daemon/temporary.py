"""Temporary files where the machine has no place for them: a container whose root can't be written."""

import os
import tempfile
from pathlib import Path
from typing import Final

__all__ = ["ensure_temporary"]

_NAME: Final = "tmp"


def ensure_temporary(data: Path) -> None:
    """Names `tmp` in the data folder for this process and its children, where no usual place takes files."""
    try:
        if tempfile.gettempdir() != os.getcwd():
            return
    except OSError:  # not even the working directory
        pass
    folder = data / _NAME
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
