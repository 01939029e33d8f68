"""What `claw chat` takes."""

from clawactors.app.cli.parsing import Parser

__all__ = ["chat"]


def chat(parser: Parser) -> None:
    """What `claw chat` takes."""
    parser.add_argument("verb", choices=("allow", "disallow", "list", "run"))
    parser.add_argument("bridge", nargs="?", metavar="BRIDGE", help="telegram")
    parser.add_argument(
        "chat", nargs="?", metavar="CHAT", help="allow, disallow: id of the chat; claw chat list shows it"
    )
    parser.add_argument("--member", default="", metavar="ID", help="allow, disallow: only this member of the chat")
    parser.add_argument("--as", dest="as_name", metavar="USER", help="allow: they act as this user (default chat-ID)")
    parser.add_argument("--submit", action="append", metavar="SKILL", help="allow: they may submit it; 'import-*', '*'")
    parser.add_argument("--token-file", default="", metavar="FILE", help="run: the bot's token (chmod 600)")
    parser.add_argument("--api", default="", metavar="URL", help="run: a Bot API server of your own")
