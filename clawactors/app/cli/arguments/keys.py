"""What the commands for keys take."""

from clawactors.app.cli.parsing import LIST, Parser, count, duration, rate

__all__ = ["key"]


def key(parser: Parser) -> None:
    """What `claw key` takes."""
    parser.add_argument("verb", choices=("add", "list", "show", "revoke"), metavar="add|list|show|revoke")
    parser.add_argument("name", nargs="?", metavar="NAME", help="the name of the key")
    parser.add_argument(
        "--scope",
        **LIST,
        metavar="A,B",
        help="add: what it may do: read, tasks, memory, admin (default: read)",
    )
    parser.add_argument(
        "--user", metavar="U", help="add: whom it acts for (default: nobody, and its name is on record)"
    )
    parser.add_argument("--expires", type=duration, metavar="D", help="add: how long it is valid, as in 30d")
    parser.add_argument("--rate", type=rate, metavar="N/s", help="add: how often it may ask, as in 100/s")
    parser.add_argument("--quota", type=_quota, metavar="N/d", help="add: how often it may ask in a day, as in 10000/d")


def _quota(text: str) -> int:
    return int(count(text.removesuffix("/d")))
