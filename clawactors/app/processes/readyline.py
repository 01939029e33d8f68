"""The one line that a child process tells its supervisor: ready, or why it can't be."""

import os
import sys
from typing import Final

import msgspec

__all__ = ["ReadyLine", "ReadyMessage"]

_STDOUT: Final = 1
_STDERR: Final = 2


class ReadyMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """The line: the child is ready, or it can't be and says whose fault that is."""

    ready: bool
    code: str = ""
    message: str = ""


class ReadyLine:
    """Takes standard output for the line alone: what anything else prints there goes to the log, at any time.

    Make it first thing, before code of users is imported: that prints as it likes, and so do the programs it starts.
    """

    def __init__(self) -> None:
        self._fd = os.dup(_STDOUT)  # not inherited by programs
        os.dup2(_STDERR, _STDOUT)
        sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]

    def say(self, message: ReadyMessage) -> None:
        """Says the line; only the first one counts, since nobody reads after it."""
        if self._fd < 0:
            return
        with os.fdopen(self._fd, "wb") as line:
            line.write(msgspec.json.encode(message) + b"\n")
        self._fd = -1
