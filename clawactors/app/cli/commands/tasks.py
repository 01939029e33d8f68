"""`claw tasks`: lists from the views."""

from typing import Any, Final

from clawactors.app.cli.parsing import Parser, count, time, words
from clawactors.app.cli.rows import task_table
from clawactors.app.cli.screen import emit, note
from clawactors.app.cli.session import ask, with_client
from clawactors.app.client import Client

__all__ = ["arguments", "run"]

_PAGE: Final = 1000


def arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add_argument("--status", type=words, default=[], metavar="A,B", help="in any of these states")
    parser.add_argument("--node", default="", help="given to this node")
    parser.add_argument("--user", default="")
    parser.add_argument("--skill", default="")
    parser.add_argument("--tag", default="")
    parser.add_argument("--since", type=time, metavar="TIME", help="submitted then or later")
    parser.add_argument("--until", type=time, metavar="TIME", help="submitted then or earlier")
    parser.add_argument("--limit", type=count, default=100, metavar="N", help="rows at most (default 100)")
    parser.add_argument("--cursor", default="", help="go on behind the page whose last row had this cursor")
    parser.add_argument("--fresh", action="store_true", help="wait until the views hold all that is in the log now")


def run(options: Any) -> int:
    """Lists them; the last row of a page that others follow has their `cursor`."""
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
        rows: list[dict[str, Any]] = []
        cursor = options.cursor
        while True:
            limit = min(_PAGE, options.limit - len(rows))
            answer = await ask(client, "tasks", **question, limit=limit, cursor=cursor)
            rows += answer["rows"]
            cursor = answer["cursor"]
            if not cursor or len(rows) >= options.limit:
                break
        if cursor and rows:
            rows[-1]["cursor"] = cursor
        emit(options, rows, lambda screen: task_table(screen, rows))
        if cursor and not options.json:
            note(f"there are more: --cursor {cursor}")
        return 0

    return with_client(options, show)
