"""What `claw memory` takes, verb by verb."""

from typing import Final

from clawactors.app.cli.parsing import Parser, VerbHelp, count, share, through, time

__all__ = ["KINDS", "ROLES", "VERBS", "memory"]

ROLES: Final = ("user", "assistant", "system", "tool")
KINDS: Final = ("raw", "summary", "knowledge")


def _takes(words: str = "", options: str = "") -> VerbHelp:
    return VerbHelp(words, frozenset(options.split()) | {"as_user"})


_SCOPE: Final = "owner session agent"
_CONTENT: Final = f"{_SCOPE} kind tag speaker"

VERBS: Final[dict[str, VerbHelp]] = {
    "search": _takes("[TEXT]", f"limit {_CONTENT} shared since until zone locale threshold like explain at"),
    "context": _takes("TEXT", f"tokens {_CONTENT} shared since until zone locale threshold"),
    "compress": _takes("FILE|-", "chars keywords encoding"),
    "add": _takes("TEXT|@FILE|-", f"{_CONTENT} at zone locale key"),
    "update": _takes("ID TEXT", "tag"),
    "history": _takes("KEY|ID", "owner"),
    "import": _takes("FILE|FOLDER|- …", "owner tag session encoding zone locale"),
    "show": _takes("ID", "at"),
    "forget": _takes("[ID …]", f"{_SCOPE} since until reason yes dry_run"),
    "archive": _takes("ID", "reason"),
    "restore": _takes("ID"),
    "consolidate": _takes(options="since"),
    "export": _takes(options=f"{_SCOPE} status lines at"),
    "settings": _takes(options="owner memory retention language zone share"),
    "audit": _takes("[ID]", "owner since limit"),
    "stats": _takes(options="at"),
    "jobs": _takes(options="limit owner status"),
    "say": _takes("CONVERSATION TEXT", "owner role speaker agent at zone locale"),
    "about": _takes("NAME", "owner depth"),
    "recent": _takes(options="limit"),
    "working": _takes("TASK", "budget"),
}
"""What the help of each verb lists."""


_AT: Final = "add: when it happened, as in 2026-06-05 (default: now); other verbs: the state at that sequence or time"


def memory(parser: Parser) -> None:
    """What `claw memory` takes."""
    parser.add_argument("verb", choices=tuple(VERBS), metavar="VERB", help=", ".join(VERBS))
    parser.add_argument("words", nargs="*", metavar="TEXT|@FILE|ID|NAME", help="argument of the verb")
    parser.add_argument("--limit", type=count, metavar="N", help="at most N (default: 5 hits, 100 events, all jobs)")
    parser.add_argument("--owner", default="", help="owner of the memories")
    parser.add_argument("--shared", action="store_true", help="also what others share")
    parser.add_argument("--kind", choices=KINDS, help="raw, summary or knowledge")
    parser.add_argument("--tag", action="append", default=[], metavar="LABEL", help="with this tag")
    parser.add_argument("--speaker", default="", help="the speaker")
    parser.add_argument("--session", "--conversation", default="", help="conversation, task or document")
    parser.add_argument("--agent", default="", help="the agent that it is for")
    parser.add_argument("--key", default="", help="name of the note: the next one with it replaces this one")
    parser.add_argument("--as", dest="as_user", default="", metavar="USER", help="with the rights of this user")
    parser.add_argument("--since", type=time, default=0, metavar="TIME", help="at this time or later")
    parser.add_argument("--until", type=through, default=0, metavar="TIME", help="at this time or earlier")
    parser.add_argument("--threshold", type=share, metavar="0..1", help="minimum relevance (default 0.7)")
    parser.add_argument("--like", default="", metavar="ID", help="similar to this memory")
    parser.add_argument("--explain", action="store_true", help="explain each score")
    parser.add_argument("--encoding", default="", metavar="NAME", help="encoding of the files, where it is not Unicode")
    parser.add_argument("--role", choices=ROLES, default="user", help="role of the speaker")
    parser.add_argument("--depth", type=count, default=1, metavar="N", help="at most N steps from the name")
    parser.add_argument("--budget", type=count, default=1000, metavar="N", help="at most N tokens")
    parser.add_argument("--tokens", type=count, default=2000, metavar="N", help="at most N tokens (default 2000)")
    parser.add_argument("--chars", type=count, default=200, metavar="N", help="at most N characters (default 200)")
    parser.add_argument("--keywords", type=count, default=5, metavar="N", help="at most N keywords (default 5)")
    parser.add_argument("--yes", action="store_true", help="don't ask before forgetting many memories")
    parser.add_argument("--dry-run", action="store_true", help="only list the memories that would be forgotten")
    parser.add_argument("--reason", default="", help="why, for the audit")
    parser.add_argument("--lines", action="store_true", help="one JSON document per line")
    parser.add_argument("--memory", choices=("on", "off"), help="whether anything of the owner is remembered")
    parser.add_argument("--retention", type=count, metavar="DAYS", help="forget what is older (0: never)")
    parser.add_argument("--at", default="", metavar="DATE|SEQ|TIME", help=_AT)
    parser.add_argument("--language", help="language of the owner, as in en_GB: how dates like 5/6/2026 are meant")
    parser.add_argument("--zone", help="time zone of owner, dates or words like yesterday, as in Europe/Rome")
    parser.add_argument("--locale", default="", help="how dates like 5/6/2026 are written, as in en_GB")
    parser.add_argument(
        "--share",
        action="append",
        metavar="NAME",
        help="who may read the owner's memories: users, agent:SKILL, * for everyone; none for nobody",
    )
    parser.add_argument(
        "--status", default="", help="jobs: pending, processing, failed, success, dead; memories: live, archived …"
    )
    parser.describe_verbs(VERBS)
