"""What the commands for backups take."""

from clawactors.app.cli.parsing import Parser, count, interval

__all__ = ["backup", "restore"]


def backup(parser: Parser) -> None:
    """What `claw backup` takes."""
    parser.add_argument(
        "target", nargs="?", metavar="DIR|FILE", help="a folder, which gets a new file, or a file that ends with .tar"
    )
    parser.add_argument(
        "--every",
        type=interval,
        metavar="D|off",
        help="let the cluster make one in DIR every D, at least a minute; off ends that",
    )
    parser.add_argument("--keep", type=count, metavar="N", help="with --every: the newest N stay (default 7)")
    parser.add_argument(
        "--verify", metavar="FILE", help="check a backup, or the newest one in a folder; changes nothing"
    )


def restore(parser: Parser) -> None:
    """What `claw restore` takes."""
    parser.add_argument("source", metavar="FILE|DIR", help="a backup, or a folder: the newest backup in it")
