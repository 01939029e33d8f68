"""`claw tasks`: lists tasks, newest first."""

from typing import Any

import msgspec

from clawactors.app.cli.output import emit, note
from clawactors.app.cli.parsing import Parser, count, duration, statuses, through, time
from clawactors.app.cli.problem import Problem
from clawactors.app.cli.rows import task_table
from clawactors.app.cli.session import with_client
from clawactors.app.cli.watching import watch, watch_argument
from clawactors.app.client import Client

__all__ = ["arguments", "run"]


def arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add_argument("--status", type=statuses, default=[], metavar="A,B", help="in any of these states")
    parser.add_argument("--node", default="", help="on this node")
    parser.add_argument("--user", default="", help="of this user")
    parser.add_argument("--skill", default="", help="of this skill")
    parser.add_argument("--tag", default="", help="with this tag")
    parser.add_argument("--parent", default="", metavar="ID", help="children of this task")
    parser.add_argument("--error", default="", metavar="CLASS", help="whose last error is of this class, as in timeout")
    parser.add_argument("--interrupted", action="store_true", help="whose last attempts were cut short")
    parser.add_argument(
        "--silent", type=duration, metavar="D", help="running, and not heard of for this long, as in 5m"
    )
    parser.add_argument("--since", type=time, metavar="TIME", help="submitted at this time or later")
    parser.add_argument("--until", type=through, metavar="TIME", help="submitted at this time or earlier")
    parser.add_argument("--limit", type=count, default=100, metavar="N", help="at most N rows (default 100)")
    parser.add_argument(
        "--cursor", default="", help="the next page: the cursor in the last row of --json, or in the note after a table"
    )
    parser.add_argument("--fresh", action="store_true", help="wait until the views are up to date with the log")
    watch_argument(parser)


def run(options: Any) -> int:
    """Lists them; if there are more, the last row has the `cursor` of the next page."""
    if not options.limit:
        raise Problem("usage", "--limit 0 asks for nothing", "claw status counts tasks")

    async def ask(client: Client) -> list[Any]:
        page = await client.tasks(
            status=options.status,
            node=options.node,
            user=options.user,
            skill=options.skill,
            tag=options.tag,
            parent=options.parent,
            error=options.error,
            interrupted=options.interrupted,
            silent_s=options.silent,
            since=options.since,
            until=options.until,
            limit=options.limit,
            cursor=options.cursor,
            fresh=options.fresh,
        )
        rows: list[Any] = list(page)
        if page.cursor and rows and not options.watch:
            if options.json:
                rows[-1] = msgspec.to_builtins(rows[-1]) | {"cursor": page.cursor}
            else:
                note(f"there are more: --cursor {page.cursor}")
        return rows

    async def show(client: Client) -> int:
        if options.watch:
            return await watch(options, lambda: ask(client), task_table)
        rows = await ask(client)
        emit(options, rows, lambda: task_table(rows))
        return 0

    return with_client(options, show)
