"""What a service runs: a `claw up` or `claw join`, in one place, under one name."""

import hashlib
import os
import re
import sys
from pathlib import Path
from typing import Final

import msgspec

from clawactors.app.problem import Problem

__all__ = ["ENVIRONMENT_FILE", "ServicePlan", "service_name"]

ENVIRONMENT_FILE: Final = "service.env"
"""In the data folder: `NAME=VALUE` lines for the service, such as keys of models."""

_NOT_NAME: Final = re.compile(r"[^A-Za-z0-9_-]+")


class ServicePlan(msgspec.Struct, frozen=True, kw_only=True):
    """A service. `user` runs it where `is_system`; otherwise it is a service of who asks.

    `words` are `up` or `join` with all options. `path` is the PATH in which skills find programs.
    """

    name: str
    words: tuple[str, ...]
    data: Path
    folder: Path
    path: str = os.defpath
    is_system: bool = False
    user: str = ""

    @property
    def command(self) -> tuple[str, ...]:
        """The program with its arguments."""
        return (sys.executable, "-P", "-m", "clawactors.app.cli.main", *self.words)

    def checked(self) -> "ServicePlan":
        """Itself. Raises: `Problem` where a text can't be written to a file of lines."""
        for text in (*self.command, str(self.data), str(self.folder), self.path, self.user):
            if any(ord(each) < 32 or ord(each) == 127 for each in text):
                raise Problem("usage", f"{text[:60]!r} has a control character: no service file can hold it")
            try:
                text.encode()
            except UnicodeEncodeError:
                raise Problem("usage", f"{text[:60]!r} is not valid UTF-8: no service file can hold it") from None
        return self


def service_name(data: Path, node: str = "", *, is_default: bool = False) -> str:
    """Stable for a data folder, and for a node that joins: `claw`, `claw-<folder>-<digest>`, `claw-node-…`."""
    kind = f"claw-node-{_NOT_NAME.sub('-', node)[:40]}" if node else "claw"
    if is_default:
        return kind
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:8]
    folder = _NOT_NAME.sub("-", data.name).strip("-")[:32]
    return "-".join(each for each in (kind, "" if node else folder, digest) if each)
