"""The option of the commands that can watch."""

from clawactors.app.cli.parsing import Parser

__all__ = ["watch_argument"]


def watch_argument(parser: Parser, until: str = "until Ctrl-C") -> None:
    """The option `--watch`."""
    text = f"refresh the screen {until}; in a pipe, print the lines that change"
    parser.add_argument("--watch", action="store_true", help=text)
