"""Tables and facts on a terminal, by rich; imported only where a person looks."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, Final

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table as Grid
from rich.text import Text

from clawactors.app.cli.output import Facts, Part, Table, cell

__all__ = ["console_of", "live_screen", "show"]

_COLOURS: Final = {
    "completed": "green",
    "online": "green",
    "ok": "green",
    "running": "cyan",
    "scheduled": "cyan",
    "busy": "cyan",
    "waiting": "yellow",
    "paused": "yellow",
    "blocked": "yellow",
    "draining": "yellow",
    "cordoned": "yellow",
    "warning": "yellow",
    "unknown": "yellow",
    "failed": "red",
    "dead": "red",
    "offline": "red",
}
_GAP: Final = 2
_NARROWEST: Final = 8


def console_of(stream: IO[str], width: int | None = None) -> Console:
    """A console on that stream that changes nothing of what it is given; `NO_COLOR` is obeyed."""
    no_colour = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return Console(file=stream, width=width, no_color=no_colour, highlight=False, markup=False, emoji=False)


def show(parts: Iterable[Part], stream: IO[str]) -> None:
    """Prints them."""
    console = console_of(stream)
    for part in parts:
        if isinstance(part, Table):
            grid, needed = _grid(part)
            # Too narrow for the ids: lines as long as they need, which the terminal wraps.
            width = max(console.width, needed)
            wide = console if width == console.width else console_of(stream, width)
            wide.print(grid, crop=False, soft_wrap=False)
        else:
            for line in _lines(part):
                console.print(line, soft_wrap=True)


@contextmanager
def live_screen[A](parts: Callable[[A], Iterable[Part]], stream: IO[str]) -> Iterator[Callable[[A], None]]:
    """Shows one answer in place of the one before; the last one stays, whatever ends the block."""
    with Live(console=console_of(stream), auto_refresh=False, vertical_overflow="ellipsis") as live:

        def put(answer: A) -> None:
            shown: list[RenderableType] = []
            for part in parts(answer):
                shown += [_grid(part)[0]] if isinstance(part, Table) else _lines(part)
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            live.update(Group(Text(f"{now}  Ctrl-C ends", style="dim"), *shown), refresh=True)

        yield put


def _lines(part: str | Facts) -> list[Text]:
    if isinstance(part, str):
        return [Text(part)]
    known = part.known()
    width = max((len(name) for name, _ in known), default=0) + _GAP
    return [Text(f"{name:<{width}}").append_text(_text(text)) for name, text in known]


def _grid(table: Table) -> tuple[Grid, int]:
    """The table, and the width below which an id is cut."""
    rows = [[cell(value) for value in row] for row in table.rows]
    uncut = table.uncut or table.heads[:1]
    grid = Grid(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    needed = 0
    for number, head in enumerate(table.heads):
        widest = max((cell_len(row[number]) for row in rows), default=0)
        least = max(cell_len(head), widest if head in uncut else min(widest, _NARROWEST))
        needed += least + _GAP
        if head in uncut:
            grid.add_column(Text(head), no_wrap=True, overflow="fold", min_width=least)
        else:
            grid.add_column(Text(head), min_width=least)  # rich narrows only columns that may wrap; cells do not
    for row in rows:
        grid.add_row(*map(_text, row))
    return grid, needed


def _text(text: str) -> Text:
    return Text(text, style=_COLOURS.get(text, ""), no_wrap=True, overflow="ellipsis")
