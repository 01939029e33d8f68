"""What the commands take that move or remove what is old, or look at the servers."""

from clawactors.app.cli.parsing import Parser, duration

__all__ = ["archive", "cluster", "compact", "erase", "sweep"]


def archive(parser: Parser) -> None:
    """What `claw archive` takes."""
    parser.add_argument(
        "--older-than",
        type=duration,
        metavar="D",
        help="tasks that ended at least D ago (default: the setting archive.after, 30d)",
    )
    parser.add_argument("--dry-run", action="store_true", help="only count what would be moved")


def compact(parser: Parser) -> None:
    """What `claw compact` takes."""
    _age_argument(parser)


def erase(parser: Parser) -> None:
    """What `claw erase` takes."""
    parser.add_argument("--owner", required=True, metavar="U", help="whose data: the user of tasks, owner of memories")
    parser.add_argument("--cancel", action="store_true", help="first end what of theirs is under way")
    parser.add_argument("--reason", default="", metavar="TEXT", help="goes on record")
    parser.add_argument("--yes", action="store_true", help="don't ask for confirmation")


def sweep(parser: Parser) -> None:
    """What `claw sweep` takes."""
    _age_argument(parser)
    parser.add_argument("--dry-run", action="store_true", help="only report what would be deleted")


def _age_argument(parser: Parser) -> None:
    parser.add_argument(
        "--older-than",
        type=duration,
        metavar="D",
        help="only values older than D (default: the setting sweep.older-than, 7d; at least 1d)",
    )


def cluster(parser: Parser) -> None:
    """What `claw cluster` takes."""
    parser.add_argument("verb", choices=("status",))
