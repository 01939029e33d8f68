"""How far a long job is, for people: a bar by rich on a terminal, a few plain lines elsewhere."""

from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

__all__ = ["Progress"]


class Progress:
    """Writes to a stream, standard error as a rule, since standard output is for the report."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._is_live = stream, stream.isatty()
        self._bar: Bar | None = None
        self._quarter = -1

    def say(self, text: str) -> None:
        """A line that stays."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        self._quarter = -1
        self._write(text)

    def update(self, share: float, text: str) -> None:
        """How far it is, 0..1; elsewhere than on a terminal a line for each quarter."""
        share = min(1.0, max(0.0, share))
        if self._is_live:
            bar = self._bar or self._begin()
            bar.update(bar.task_ids[0], completed=share, description=text)
        elif int(share * 4) > self._quarter:
            self._quarter = int(share * 4)
            self._write(f"  {share:4.0%}  {text}")

    def _begin(self) -> "Bar":
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn
        from rich.progress import Progress as Bar

        from clawactors.app.cli.terminal import console_of

        columns = (TextColumn(" "), BarColumn(), TaskProgressColumn(), TextColumn("{task.description}", markup=False))
        self._bar = Bar(*columns, console=console_of(self._stream), transient=True)
        self._bar.add_task("", total=1.0)
        self._bar.start()
        return self._bar

    def _write(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()
