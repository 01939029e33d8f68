"""A progress bar on standard error, on a terminal only; anywhere else it is silent."""

import sys
import time
from typing import IO, Final, Self

from clawactors.app.cli.screen import Screen

__all__ = ["Bar"]

_EVERY_S: Final = 0.1
_CELLS: Final = 24


class Bar:
    """Shows how far something is; `total` 0 where that is not known. Use it in a `with`: the end clears the line."""

    def __init__(self, label: str, total: int = 0, *, shown: bool = True, stream: IO[str] | None = None) -> None:
        self.label, self.total = label, total
        self._stream = stream or sys.stderr
        self._shown = shown and Screen.of(self._stream).width > 0
        self._began_s = self._drawn_s = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def at(self, done: int) -> None:
        """So many are done; drawn ten times a second at most."""
        now_s = time.monotonic()
        if not self._shown or now_s - self._drawn_s < _EVERY_S:
            return
        self._drawn_s = now_s
        self._stream.write(f"\r\x1b[K{self._line(done, now_s - self._began_s)}")
        self._stream.flush()

    def _line(self, done: int, took_s: float) -> str:
        rate = f"{done / took_s:,.0f}/s" if took_s else ""
        if not self.total:
            return f"{self.label} {done:,} {rate}"
        share = min(1.0, done / self.total)
        filled = round(share * _CELLS)
        return f"{self.label} [{'#' * filled}{'-' * (_CELLS - filled)}] {share:4.0%} {done:,}/{self.total:,} {rate}"
