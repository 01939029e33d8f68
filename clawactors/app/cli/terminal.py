"""Tables and facts on a terminal, by rich; imported only where a person looks."""

import os
from collections.abc import Iterable
from typing import IO, Final

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from clawactors.app.cli.output import Facts, Part, Table, cell

__all__ = ["console_of", "show"]

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
        match part:
            case Table():
                _show_table(console, part)
            case Facts():
                known = part.known()
                width = max((len(name) for name, _ in known), default=0) + _GAP
                for name, text in known:
                    console.print(Text(f"{name:<{width}}").append_text(_text(text)), soft_wrap=True)
            case _:
                console.print(Text(part), soft_wrap=True)


def _show_table(console: Console, table: Table) -> None:
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
    # Too narrow for the ids: lines as long as they need, which the terminal wraps.
    width = max(console.width, needed)
    (console if width == console.width else console_of(console.file, width)).print(grid, crop=False, soft_wrap=False)


def _text(text: str) -> Text:
    return Text(text, style=_COLOURS.get(text, ""), no_wrap=True, overflow="ellipsis")
