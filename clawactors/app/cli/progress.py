"""Progress of a long command: a rich progress bar on a terminal, otherwise nothing."""

import os
import signal
import sys
from types import FrameType
from typing import IO, TYPE_CHECKING, Final, Self

from clawactors.app.cli.output import is_terminal

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["ProgressBar"]


_ENDING: Final = (signal.SIGTERM, signal.SIGHUP)
_RESTORE: Final = b"\x1b[?25h\r\x1b[2K"
"""Shows the cursor again and clears the line."""


class ProgressBar:
    """A progress bar for a `with` block, which clears it at the end; `total` is 0 if it is unknown."""

    def __init__(self, label: str, total: int = 0, *, shown: bool = True, stream: IO[str] | None = None) -> None:
        self.label, self.total = label, total
        self._stream = stream or sys.stderr
        self._shown = shown and is_terminal(self._stream)
        self._bar: Progress | None = None
        self._id: TaskID | None = None
        self._handled: list[signal.Signals] = []

    def __enter__(self) -> Self:
        if self._shown:
            from rich import progress

            from clawactors.app.cli.terminal import console_of

            self._bar = progress.Progress(
                progress.TextColumn("{task.description}"),
                progress.BarColumn(),
                progress.MofNCompleteColumn(),
                progress.TaskProgressColumn(show_speed=True),
                progress.TimeRemainingColumn(),
                console=console_of(self._stream),
                transient=True,
            )
            self._id = self._bar.add_task(self.label, total=self.total or None)
            # Ctrl-C is an exception and so ends in `__exit__`; these end the process at once.
            self._handled = [number for number in _ENDING if signal.getsignal(number) is signal.SIG_DFL]
            for number in self._handled:
                signal.signal(number, self._end)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        for number in self._handled:
            signal.signal(number, signal.SIG_DFL)
        if self._bar is not None:
            self._bar.stop()

    def at(self, done: int) -> None:
        """Sets how many are done."""
        if self._bar is not None and self._id is not None:
            self._bar.update(self._id, completed=done, total=self.total or None)

    def at_bytes(self, size_bytes: int) -> None:
        """Sets how many KB are done."""
        self.at(size_bytes >> 10)

    def step(self, label: str, done: int, total: int) -> None:
        """Sets how many of how many are done of a part of the work, which may be a new one."""
        if label != self.label and self._bar is not None and self._id is not None:
            self._bar.reset(self._id, description=label)
        self.label, self.total = label, total
        self.at(done)

    def _end(self, number: int, _: FrameType | None) -> None:
        os.write(self._stream.fileno(), _RESTORE)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
