"""Secrets of a node: from a file that only its owner can read, and from `CLAW_SECRET_<NAME>`.

What a node starts (`shell`, isolated skills) is not given these variables.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from clawactors.eventlog import Misconfigured

__all__ = ["PREFIX", "path_of", "read_secrets"]

PREFIX: Final = "CLAW_SECRET_"


def path_of(given: str | None) -> str:
    """The file as a child in another folder finds it, '' where there is none."""
    return str(Path(given).expanduser().absolute()) if given else ""


def read_secrets(path: str = "", env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Values by name; the file wins over the environment. Raises: `Misconfigured`."""
    named = {name.removeprefix(PREFIX).lower(): value for name, value in env.items() if name.startswith(PREFIX)}
    return named | (_in_file(Path(path)) if path else {})


def _in_file(path: Path) -> dict[str, str]:
    try:
        mode = path.stat().st_mode
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"can't read the secrets file {path}: {error}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Misconfigured(f"the secrets file {path} is readable by others: chmod 600 {path}")
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, equals, value = stripped.partition("=")
        if not equals:
            raise Misconfigured(f"line {number} of the secrets file {path} is not NAME=VALUE")
        found[name.strip().lower()] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
