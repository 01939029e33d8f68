"""Progress of a long command: a rich progress bar on a terminal, otherwise nothing."""

import sys
from typing import IO, TYPE_CHECKING, Self

from clawactors.app.cli.output import is_terminal

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["ProgressBar"]


class ProgressBar:
    """A progress bar for a `with` block, which clears it at the end; `total` is 0 if it is unknown."""

    def __init__(self, label: str, total: int = 0, *, shown: bool = True, stream: IO[str] | None = None) -> None:
        self.label, self.total = label, total
        self._stream = stream or sys.stderr
        self._shown = shown and is_terminal(self._stream)
        self._bar: Progress | None = None
        self._id: TaskID | None = None

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
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def at(self, done: int) -> None:
        """Sets how many are done."""
        if self._bar is not None and self._id is not None:
            self._bar.update(self._id, completed=done, total=self.total or None)
