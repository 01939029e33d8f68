"""The arguments of commands that show one task: its current state, a past one, or the difference of two."""

from clawactors.app.cli.arguments.watch import past_arguments, watch_argument
from clawactors.app.cli.parsing import Parser, place

__all__ = ["diff", "task"]


def task(parser: Parser) -> None:
    """What `claw task` takes."""
    parser.add_argument("id", metavar="ID", help="its id, or the beginning of it")
    parser.add_argument("--history", action="store_true", help="show its events instead of its state")
    parser.add_argument("--tree", action="store_true", help="show it with its children and theirs")
    parser.add_argument("--result", action="store_true", help="print only its result, in full")
    parser.add_argument("--full", action="store_true", help="show large values instead of references to them")
    past_arguments(parser)
    watch_argument(parser, "until it has ended")


def diff(parser: Parser) -> None:
    """What `claw diff` takes."""
    parser.add_argument("id", metavar="ID", help="the task, or the beginning of its id")
    parser.add_argument(
        "--from", dest="begin", type=place, metavar="SEQ|TIME", help="from then on (default: from its first event)"
    )
    parser.add_argument("--to", dest="end", type=place, metavar="SEQ|TIME", help="up to then (default: now)")
