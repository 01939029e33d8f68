"""What a command prints: one JSON document, tables on a terminal, or plain lines in a pipe.

In a pipe every table has a header line and tab-separated columns, nothing cut. Text from the log is shown without
control characters: the name of a task must not be able to write to the terminal.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any, NamedTuple

import msgspec

__all__ = [
    "Facts",
    "Part",
    "Table",
    "card",
    "cell",
    "counted",
    "emit",
    "is_terminal",
    "note",
    "plain",
    "plain_lines",
    "short",
    "when",
]


class Table(NamedTuple):
    """Rows under a head. The columns in `uncut` (the first one, where none is named) are never cut."""

    heads: Sequence[str]
    rows: Iterable[Sequence[Any]]
    uncut: Sequence[str] = ()


class Facts(NamedTuple):
    """One line per fact; facts without a value are left out."""

    facts: Iterable[tuple[str, Any]]

    def known(self) -> list[tuple[str, str]]:
        """What has a value, as text."""
        return [(name, cell(value)) for name, value in self.facts if value not in (None, "", [], (), {})]


type Part = str | Table | Facts
"""Something to print: a line, a table, a list of facts."""


def card(row: msgspec.Struct) -> Facts:
    """All that a row says, for terminals."""
    return Facts([(name.replace("_", " "), value or None) for name, value in msgspec.to_builtins(row).items()])


def emit(options: Any, document: Any, parts: Callable[[], Iterable[Part]]) -> None:
    """Prints the one answer of a command."""
    if options.json:
        sys.stdout.flush()
        sys.stdout.buffer.write(msgspec.json.encode(document) + b"\n")  # UTF-8 wherever it goes
    elif is_terminal(sys.stdout):
        from clawactors.app.cli.terminal import show

        show(parts(), sys.stdout)
    else:
        for line in plain_lines(parts()):
            sys.stdout.write(line + "\n")
    sys.stdout.flush()


def is_terminal(stream: IO[str]) -> bool:
    """True where a person looks at it."""
    return stream.isatty()


def note(text: str) -> None:
    """A line for people beside the answer."""
    sys.stderr.write(f"claw: {plain(text)}\n")
    sys.stderr.flush()


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 task`, `2 tasks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


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


def cell(value: Any) -> str:
    """A value as people read it, on one line."""
    return plain(_text(value))


def plain_lines(parts: Iterable[Part]) -> Iterator[str]:
    """The parts as lines for a pipe."""
    for part in parts:
        match part:
            case Table(heads, rows):
                yield "\t".join(heads)
                yield from ("\t".join(map(cell, row)) for row in rows)
            case Facts():
                yield from (f"{name}\t{text}" for name, text in part.known())
            case _:
                yield part


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
