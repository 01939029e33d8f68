"""What `claw top` takes."""

from clawactors.app.cli.parsing import Parser, interval

__all__ = ["SORTS", "top"]

SORTS = ("age", "progress", "skill", "node", "id")


def top(parser: Parser) -> None:
    """What `claw top` takes."""
    parser.add_argument("--every", type=interval, default=1.0, metavar="D", help="refresh every D (default 1s)")
    parser.add_argument("--once", action="store_true", help="print one frame, as in a pipe")
    parser.add_argument("--sort", choices=SORTS, default="age", help="order of the running tasks (default age)")
    parser.add_argument(
        "--filter", default="", metavar="TEXT", help="only running tasks with TEXT in id, skill, node or name"
    )
