"""`claw approvals`: what tasks ask people for."""

from collections.abc import Iterable, Iterator
from typing import Any

from clawactors.app.cli.output import Part, Table, when
from clawactors.app.cli.session import with_client
from clawactors.app.cli.watching import show
from clawactors.app.client import Client
from clawactors.runtime.client.rows import ApprovalRow

__all__ = ["run"]


def run(options: Any) -> int:
    """Lists them, the oldest task first."""

    async def ask(client: Client) -> list[ApprovalRow]:
        return await client.approvals(by=client.principal if options.mine else "")

    return with_client(options, lambda client: show(options, lambda: ask(client), _table))


def _table(rows: Iterable[ApprovalRow]) -> Iterator[Part]:
    yield Table(
        ("TASK", "NAME", "QUESTION", "BY", "ASKED", "UNTIL", "THEN"),
        (
            (
                row.task,
                row.name,
                row.question,
                row.by or "anybody",
                when(row.asked_at),
                when(row.until),
                row.default if row.until else "",
            )
            for row in rows
        ),
        uncut=("TASK", "NAME"),
    )
