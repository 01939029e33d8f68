"""`claw tasks`: lists tasks, newest first."""

from typing import Any

import msgspec

from clawactors.app.cli.output import note
from clawactors.app.cli.problem import Problem
from clawactors.app.cli.rows import task_table
from clawactors.app.cli.session import with_client
from clawactors.app.cli.watching import show
from clawactors.app.client import Client

__all__ = ["run"]


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

    return with_client(options, lambda client: show(options, lambda: ask(client), task_table))
