"""What `claw notify` takes."""

from clawactors.app.cli.parsing import LIST, Parser, duration

__all__ = ["notify"]


def notify(parser: Parser) -> None:
    """What `claw notify` takes."""
    parser.add_argument(
        "verb", choices=("add", "list", "show", "test", "mute", "unmute", "redrive", "remove", "alarms")
    )
    parser.add_argument("name", nargs="?", metavar="NOTIFICATION")
    parser.add_argument(
        "--when",
        **LIST,
        metavar="A,B",
        help="add: dead, failed, blocked, approval, completed, cancelled, node-lost, lag, disk",
    )
    parser.add_argument("--to", metavar="TARGET", help="add: https://…, mailto:ops@example.org, desktop, telegram:CHAT")
    parser.add_argument("--skill", metavar="SKILL", help="add: only tasks of this skill; 'import-*' names several")
    parser.add_argument("--tag", metavar="LABEL", help="add: only tasks with this label")
    parser.add_argument("--user", help="add: only tasks of this user")
    parser.add_argument("--every", type=duration, metavar="D", help="add: one message in so long at most (default 1m)")
    parser.add_argument(
        "--secret", metavar="NAME", help="add: sign webhooks with CLAW_SECRET_NAME of control's environment"
    )
    parser.add_argument("--for", dest="span", type=duration, metavar="D", help="mute: for so long, such as 2h")
