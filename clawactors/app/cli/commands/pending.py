"""`claw pending`: lists pending tasks in the order in which they are placed."""

from typing import Any

from clawactors.app.cli.commands.tasks import rows_of
from clawactors.app.cli.reading import with_reading
from clawactors.app.cli.rows import task_table
from clawactors.app.cli.watching import show
from clawactors.app.problem import Problem
from clawactors.runtime.client.listing import Listing

__all__ = ["run"]


def run(options: Any) -> int:
    """Lists them, the most urgent first, then the oldest."""
    if not options.limit:
        raise Problem("usage", "--limit 0 asks for nothing", "claw status counts tasks")

    async def ask(reader: Listing) -> list[Any]:
        page = await reader.pending(limit=options.limit, cursor=options.cursor, fresh=options.fresh)
        return rows_of(options, page)

    async def list_them(reader: Listing) -> int:
        return await show(options, lambda: ask(reader), task_table)

    return with_reading(options, list_them, list_them)
