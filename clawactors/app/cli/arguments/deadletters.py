"""What `claw dead-letters` takes."""

from clawactors.app.cli.parsing import Parser, count, time

__all__ = ["deadletters"]

KINDS = ("task", "delivery", "command", "record")


def deadletters(parser: Parser) -> None:
    """What `claw dead-letters` takes."""
    parser.add_argument("verb", choices=("list", "show", "redrive", "drop"))
    parser.add_argument("ids", nargs="*", metavar="LETTER", help="task:T, delivery:D or letter:N, as list shows them")
    parser.add_argument("--kind", action="append", choices=KINDS, help="only these kinds; may be given again")
    parser.add_argument("--skill", default="", help="only those of this skill")
    parser.add_argument("--error", default="", metavar="CLASS", help="only tasks with this error class")
    parser.add_argument("--since", type=time, metavar="TIME", help="only what came to nothing since then")
    parser.add_argument("--limit", type=count, metavar="N", help="at most N (default of list: 100)")
    parser.add_argument("--cursor", default="", metavar="C", help="list: go on after a page, with its cursor")
    parser.add_argument("--yes", action="store_true", help="redrive, drop: more than 10 without asking")
    parser.add_argument("--dry-run", action="store_true", help="redrive, drop: only list what would be changed")
