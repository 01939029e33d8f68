"""What `claw service` takes."""

from typing import Final

from clawactors.app.cli.parsing import Parser, VerbHelp, count

__all__ = ["VERBS", "daemon"]

_SCOPE: Final = frozenset(("system", "node"))
VERBS: Final = {
    "install": VerbHelp("[-- up|join OPTIONS]", _SCOPE | {"run_as", "dry_run", "start"}),
    "status": VerbHelp("", _SCOPE),
    "logs": VerbHelp("", _SCOPE | {"lines", "follow"}),
    "remove": VerbHelp("", _SCOPE),
}


def daemon(parser: Parser) -> None:
    """What `claw service` takes."""
    parser.add_argument("verb", choices=VERBS, metavar="VERB", help=", ".join(VERBS))
    parser.add_argument("--system", action="store_true", help="a service of the machine, from boot on (needs root)")
    parser.add_argument("--node", default="", metavar="ID", help="that of a node which joins, not that of claw up")
    parser.add_argument("--run-as", metavar="USER", help="with --system: who runs it (default: who called sudo)")
    parser.add_argument("--dry-run", action="store_true", help="print the unit; change nothing")
    parser.add_argument("--no-start", dest="start", action="store_false", help="only enable it: it starts at boot")
    parser.add_argument("--lines", type=count, default=100, metavar="N", help="at most the last N (default 100)")
    parser.add_argument("-f", "--follow", action="store_true", help="go on as lines come")
    parser.describe_verbs(VERBS)
