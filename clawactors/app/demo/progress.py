"""How far a long job is, for people: one line that changes on a terminal, a few plain lines elsewhere."""

import os
import shutil
import time
from collections.abc import Callable
from typing import Final, TextIO

__all__ = ["Progress"]

_ERASE: Final = "\r\x1b[K"
_BAR: Final = 24
_EVERY_S: Final = 0.05


class Progress:
    """Writes to a stream, standard error as a rule, since standard output is for the report."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock, self._next_s = stream, clock, 0.0
        self._live = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._shown, self._quarter = "", -1

    def say(self, text: str) -> None:
        """A line that stays."""
        self._write(f"{_ERASE}{text}\n" if self._shown else f"{text}\n")
        self._shown, self._quarter = "", -1

    def update(self, share: float, text: str) -> None:
        """How far it is, 0..1; elsewhere than on a terminal a line for each quarter."""
        share = min(1.0, max(0.0, share))
        if self._live and self._clock() < self._next_s:
            return
        full = int(share * _BAR)
        line = f"  [{'#' * full}{'.' * (_BAR - full)}] {share:4.0%}  {text}"
        if self._live:
            self._shown = line[: shutil.get_terminal_size().columns - 1]
            self._next_s = self._clock() + _EVERY_S
            self._write(f"{_ERASE}{self._shown}")
        elif int(share * 4) > self._quarter:
            self._quarter = int(share * 4)
            self._write(f"{line}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
