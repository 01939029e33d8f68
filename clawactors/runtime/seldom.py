"""A log line that is not repeated while what it says lasts."""

import logging
import time
from collections.abc import Callable
from typing import Final

__all__ = ["EVERY_S", "SeldomLogger"]

EVERY_S: Final = 30.0


class SeldomLogger:
    """Writes one line in half a minute at most, and how many it left out, whatever its callers have to say."""

    def __init__(self, log: logging.Logger, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._log, self._monotonic_s = log, monotonic_s
        self._next_s, self._left_out = 0.0, 0

    def warning(self, text: str, *args: object) -> None:
        """As `logging.warning`, or nothing."""
        self.at(logging.WARNING, text, *args)

    def error(self, text: str, *args: object) -> None:
        """As `logging.error`, or nothing."""
        self.at(logging.ERROR, text, *args)

    def at(self, level: int, text: str, *args: object) -> None:
        """Writes it at that level, unless a line was written shortly before."""
        now_s = self._monotonic_s()
        if now_s < self._next_s:
            self._left_out += 1
            return
        more = f" ({self._left_out} more lines like it were left out)" if self._left_out else ""
        self._next_s, self._left_out = now_s + EVERY_S, 0
        self._log.log(level, text + more, *args)
