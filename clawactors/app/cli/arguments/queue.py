"""What `claw queue` takes."""

from clawactors.app.cli.parsing import Parser, count

__all__ = ["queue"]


def queue(parser: Parser) -> None:
    """What `claw queue` takes."""
    parser.add_argument("--skill", default="", metavar="S", help="only tasks of this skill")
    parser.add_argument("--limit", type=count, default=20, metavar="N", help="the next N (default 20, at most 1000)")
