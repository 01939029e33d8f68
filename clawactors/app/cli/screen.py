"""What people see: aligned tables and colours on a terminal, tab-separated lines anywhere else, JSON where asked for.

Text from the log is shown without control characters: a task's name must not be able to write to the terminal.
"""

import os
import shutil
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, Final

import msgspec

__all__ = ["Screen", "card", "emit", "note", "plain", "short", "table", "when"]

_COLOURS: Final = {
    "completed": "32",
    "online": "32",
    "ok": "32",
    "running": "36",
    "scheduled": "36",
    "busy": "36",
    "waiting": "33",
    "paused": "33",
    "blocked": "33",
    "draining": "33",
    "cordoned": "33",
    "warning": "33",
    "unknown": "33",
    "failed": "31",
    "dead": "31",
    "offline": "31",
}
_GAP: Final = "  "
_NARROWEST: Final = 8


class Screen(msgspec.Struct, frozen=True):
    """Where output goes; `width` 0 means no terminal."""

    width: int = 0
    colour: bool = False

    @classmethod
    def of(cls, stream: IO[str], env: Mapping[str, str] = os.environ) -> "Screen":
        """What this stream can show. `NO_COLOR` is obeyed."""
        if not stream.isatty():
            return cls()
        colour = not env.get("NO_COLOR") and env.get("TERM") != "dumb"
        return cls(shutil.get_terminal_size().columns, colour)


def emit(options: Any, document: Any, human: Callable[[Screen], Iterable[str]]) -> None:
    """Prints the one answer of a command."""
    if options.json:
        sys.stdout.flush()
        sys.stdout.buffer.write(msgspec.json.encode(document) + b"\n")  # UTF-8 wherever it goes
    else:
        for line in human(Screen.of(sys.stdout)):
            sys.stdout.write(line + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """A line for people beside the answer."""
    sys.stderr.write(f"claw: {plain(text)}\n")
    sys.stderr.flush()


def table(screen: Screen, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """One line a row: aligned, under a head and cut to the width of a terminal, or tab-separated."""
    cells = [[plain(_text(value)) for value in row] for row in rows]
    if not screen.width:
        yield from ("\t".join(row) for row in cells)
        return
    columns = list(zip(*[list(heads), *cells], strict=True))
    widths = _fitted([max(map(_width, column)) for column in columns], screen.width)
    yield _bold(screen, _GAP.join(_padded(head, width) for head, width in zip(heads, widths, strict=True)).rstrip())
    for row in cells:
        parts = (_coloured(screen, text, _padded(text, width)) for text, width in zip(row, widths, strict=True))
        yield _GAP.join(parts).rstrip()


def card(screen: Screen, facts: Iterable[tuple[str, Any]]) -> Iterator[str]:
    """One line a fact, those without a value left out."""
    known = [(name, plain(_text(value))) for name, value in facts if value not in (None, "", [], (), {})]
    width = max((len(name) for name, _ in known), default=0) + len(_GAP)
    for name, text in known:
        if screen.width:
            yield f"{name:<{width}}{_coloured(screen, text, text)}"
        else:
            yield f"{name}\t{text}"


def when(at: str | None) -> str:
    """A time of a row, to the second."""
    return f"{at[:19]}Z" if at else ""


def short(value: Any, most: int = 400) -> str:
    """A value as JSON, cut where it is long."""
    text = "" if value is None else msgspec.json.encode(value).decode()
    return text if len(text) <= most else f"{text[:most]}…"


def plain(text: str) -> str:
    """The text on one line, without anything that a terminal would obey."""
    return text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text)


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.4g}"
        case dict():
            return " ".join(f"{key}={_text(each)}" for key, each in value.items())
        case list() | tuple():
            return ", ".join(map(_text, value))
        case _:
            return str(value)


def _width(text: str) -> int:
    """Columns that the text takes: Chinese characters take two."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(each) else 1 + (unicodedata.east_asian_width(each) in "WF") for each in text)


def _fitted(widths: list[int], room: int) -> list[int]:
    """The widths with the widest cut first until all fits."""
    widths = list(widths)
    excess = sum(widths) + len(_GAP) * (len(widths) - 1) - room
    while excess > 0:
        widest = max(range(len(widths)), key=widths.__getitem__)
        if widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
        excess -= 1
    return widths


def _padded(text: str, width: int) -> str:
    missing = width - _width(text)
    if missing >= 0:
        return text + " " * missing
    while _width(text) > width - 1:
        text = text[:-1]
    return text + "…" + " " * (width - 1 - _width(text))


def _coloured(screen: Screen, word: str, shown: str) -> str:
    code = _COLOURS.get(word) if screen.colour else None
    return f"\x1b[{code}m{shown}\x1b[0m" if code else shown


def _bold(screen: Screen, text: str) -> str:
    return f"\x1b[1m{text}\x1b[0m" if screen.colour else text
