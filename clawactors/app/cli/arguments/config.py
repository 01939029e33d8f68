"""What `claw config` takes."""

from typing import Final

from clawactors.app.cli.parsing import Parser, VerbHelp, count, place

__all__ = ["VERBS", "config"]

VERBS: Final[dict[str, VerbHelp]] = {
    "list": VerbHelp("", frozenset(("origin", "set", "at"))),
    "get": VerbHelp("NAME", frozenset(("origin", "at"))),
    "set": VerbHelp("NAME VALUE | NAME=VALUE …", frozenset(("reason", "if_version"))),
    "unset": VerbHelp("NAME …", frozenset(("reason", "if_version"))),
    "history": VerbHelp("[NAME]", frozenset()),
    "rollback": VerbHelp("VERSION", frozenset(("reason", "if_version"))),
    "watch": VerbHelp("[NAME …]", frozenset(("after",))),
    "diff": VerbHelp("FROM [TO]", frozenset()),
}


def config(parser: Parser) -> None:
    """What `claw config` takes."""
    parser.add_argument("verb", choices=tuple(VERBS))
    parser.add_argument("words", nargs="*", metavar="SETTING", help="a setting, and its value")
    parser.add_argument("--origin", action="store_true", help="what counts in each process, why, and what that hides")
    parser.add_argument("--set", action="store_true", help="only what is set")
    parser.add_argument(
        "--at", type=place, metavar="SEQ|TIME", help="the state at a log sequence, a time, or a time ago (-2h)"
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="goes on record")
    parser.add_argument(
        "--if-version", type=count, metavar="N", help="only if it has not changed since version N of the settings"
    )
    parser.add_argument("--after", type=count, metavar="N", help="begin with what came after version N")
    parser.describe_verbs(VERBS)
