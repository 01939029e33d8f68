"""The data folder: from the option, the environment, or the user's default."""

import os
import sys
from pathlib import Path

__all__ = ["data_folder"]


def data_folder(given: str | None = None) -> Path:
    """The data folder: the one given, or `CLAW_DATA`, or `claw` in the user's data folder."""
    if chosen := given or os.environ.get("CLAW_DATA"):
        return Path(chosen).expanduser().absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "claw"
    home = os.environ.get("XDG_DATA_HOME", "")
    # The XDG specification has relative paths ignored.
    return (Path(home) if home.startswith("/") else Path.home() / ".local" / "share") / "claw"
