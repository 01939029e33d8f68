"""The data folder: from the option, the environment, or the user's default."""

import os
import sys
from pathlib import Path

from clawactors.app.problem import Problem

__all__ = ["data_folder", "default_folder"]


def data_folder(given: str | None = None) -> Path:
    """The data folder: the one given, or `CLAW_DATA`, or `claw` in the user's data folder. Raises: `Problem`."""
    if chosen := given or os.environ.get("CLAW_DATA"):
        return Path(chosen).expanduser().absolute()
    if (own := default_folder()) is None:
        raise Problem("misconfigured", "this user has no home folder", "name the data folder: CLAW_DATA")
    return own


def default_folder() -> Path | None:
    """The one of a user who names none; None in a container whose user has no entry and no HOME."""
    home = os.environ.get("XDG_DATA_HOME", "")
    if sys.platform != "darwin" and home.startswith("/"):  # the XDG specification has relative paths ignored
        return Path(home) / "claw"
    try:
        own = Path.home()
    except RuntimeError:
        return None
    return own / "Library" / "Application Support" / "claw" if sys.platform == "darwin" else own / ".local/share/claw"
