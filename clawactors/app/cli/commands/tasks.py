"""`claw tasks`: lists from the views."""

from typing import Any

from clawactors.app.cli.parsing import Parser, count, through, time, worded, words
from clawactors.app.cli.problem import Problem
from clawactors.app.cli.rows import task_table
from clawactors.app.cli.screen import emit, note
from clawactors.app.cli.session import ask_rows, with_client
from clawactors.app.client import Client
from clawactors.systems.tasks import STATUSES

__all__ = ["arguments", "run"]


def arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add_argument("--status", type=_statuses, default=[], metavar="A,B", help="in any of these states")
    parser.add_argument("--node", default="", help="given to this node")
    parser.add_argument("--user", default="")
    parser.add_argument("--skill", default="")
    parser.add_argument("--tag", default="")
    parser.add_argument("--since", type=time, metavar="TIME", help="submitted then or later")
    parser.add_argument("--until", type=through, metavar="TIME", help="submitted then or earlier")
    parser.add_argument("--limit", type=count, default=100, metavar="N", help="rows at most (default 100)")
    parser.add_argument("--cursor", default="", help="go on behind the page whose last row had this cursor")
    parser.add_argument("--fresh", action="store_true", help="wait until the views hold all that is in the log now")


@worded
def _statuses(text: str) -> list[str]:
    for word in (wanted := words(text)):
        if word not in STATUSES:
            raise ValueError(f"there is no status {word[:40]!r}: use {', '.join(STATUSES)}")
    return wanted


def run(options: Any) -> int:
    """Lists them; the last row of a page that others follow has their `cursor`."""
    if not options.limit:
        raise Problem("usage", "--limit 0 asks for nothing", "claw status counts")
    question = {
        "status": options.status,
        "node": options.node,
        "user": options.user,
        "skill": options.skill,
        "tag": options.tag,
        "since_ns": options.since,
        "until_ns": options.until,
        "fresh": options.fresh,
    }

    async def show(client: Client) -> int:
        rows, cursor = await ask_rows(client, "tasks", options.limit, options.cursor, **question)
        if cursor and rows:
            rows[-1]["cursor"] = cursor
        emit(options, rows, lambda screen: task_table(screen, rows))
        if cursor and not options.json:
            note(f"there are more: --cursor {cursor}")
        return 0

    return with_client(options, show)
