"""The options of the commands that can watch, or look at the past."""

from clawactors.app.cli.parsing import Parser, place

__all__ = ["past_arguments", "watch_argument"]


def past_arguments(parser: Parser) -> None:
    """The options `--at` and `--views`."""
    parser.add_argument(
        "--at", type=place, metavar="SEQ|TIME", help="the state at a log sequence, a time, or a time ago (-2h)"
    )
    parser.add_argument("--views", metavar="DIR", help="ask the views that bin/replay --into DIR has made")


def watch_argument(parser: Parser, until: str = "until Ctrl-C") -> None:
    """The option `--watch`."""
    text = f"refresh the screen {until}; in a pipe, print the lines that change"
    parser.add_argument("--watch", action="store_true", help=text)
