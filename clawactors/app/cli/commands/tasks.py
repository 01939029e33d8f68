"""`claw tasks`: lists tasks, newest first."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from clawactors.app.cli.output import Part, Table, emit, note, when
from clawactors.app.cli.reading import with_reading
from clawactors.app.cli.rows import task_table
from clawactors.app.cli.selection import filter_of
from clawactors.app.cli.session import with_client
from clawactors.app.cli.watching import show
from clawactors.app.client import Client
from clawactors.app.problem import Problem
from clawactors.runtime.client.archivedrows import ArchivedRow
from clawactors.runtime.client.listing import Listing
from clawactors.runtime.client.rows import Page

__all__ = ["rows_of", "run"]


def run(options: Any) -> int:
    """Lists them; if there are more, the last row has the `cursor` of the next page."""
    if not options.limit:
        raise Problem("usage", "--limit 0 asks for nothing", "claw status counts tasks")

    if options.archived:
        return _archived(options)

    async def count(reader: Listing) -> int:
        document = {"count": await reader.count(**filter_of(options), fresh=options.fresh)}
        emit(options, document, lambda: [str(document["count"])])
        return 0

    async def ask(reader: Listing) -> list[Any]:
        page = await reader.tasks(**filter_of(options), limit=options.limit, cursor=options.cursor, fresh=options.fresh)
        return rows_of(options, page)

    async def list_them(reader: Listing) -> int:
        return await show(options, lambda: ask(reader), task_table)

    if options.count:
        return with_reading(options, count, count)
    return with_reading(options, list_them, list_them)


def rows_of(options: Any, page: Page[Any]) -> list[Any]:
    """The rows to print; if there are more, it tells the cursor."""
    rows: list[Any] = list(page)
    if page.cursor and rows and not options.watch:
        if options.json:
            rows[-1] = msgspec.to_builtins(rows[-1]) | {"cursor": page.cursor}
        else:
            note(f"there are more: --cursor {page.cursor}")
    return rows


def _archived(options: Any) -> int:
    for name in ("node", "tag", "parent", "error", "interrupted", "text", "silent_s", "count", "watch", "at", "views"):
        if getattr(options, name):
            raise Problem(
                "usage",
                f"--{name.removesuffix('_s')} can't be asked of the archive",
                "use --status, --user, --skill or times",
            )

    async def ask(client: Client) -> int:
        page = await client.archived(
            ended=options.status,
            user=options.user,
            skill=options.skill,
            since=options.since,
            until=options.until,
            limit=options.limit,
            cursor=options.cursor,
            fresh=options.fresh,
        )
        rows = rows_of(options, page)
        emit(options, rows, lambda: _archived_table(rows))
        return 0

    return with_client(options, ask)


def _archived_table(rows: Iterable[ArchivedRow]) -> Iterator[Part]:
    """One line per task in the archive."""
    yield Table(
        ("ID", "ENDED", "SKILL", "USER", "SUBMITTED", "COMPLETED", "FILE"),
        (
            (row.id, row.ended, row.skill, row.user, when(row.submitted_at), when(row.completed_at), row.file)
            for row in rows
        ),
    )
