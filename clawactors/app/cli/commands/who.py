"""`claw who`: the machines and people who may connect."""

from collections.abc import Iterable, Iterator
from typing import Any

from clawactors.app.cli.output import Part, Table, card, emit, when
from clawactors.app.cli.session import hinted, with_client
from clawactors.app.client import Client
from clawactors.runtime.client.identities import IdentityRow

__all__ = ["run"]


def run(options: Any) -> int:
    """Prints one of them, or all."""

    async def work(client: Client) -> int:
        with hinted("claw who shows all"):
            if options.name:
                row = await client.identities.get(options.name)
                emit(options, row, lambda: [card(row)])
            else:
                rows = await client.identities.list(role=options.role, status=options.status)
                emit(options, rows, lambda: _table(rows))
        return 0

    return with_client(options, work)


def _table(rows: Iterable[IdentityRow]) -> Iterator[Part]:
    yield Table(
        ("NAME", "ROLE", "STATUS", "MACHINE", "USED", "EXPIRES", "INVITED", "BY", "JOINED"),
        (
            (
                row.name,
                row.role,
                row.status,
                row.host,
                f"{row.used}/{row.uses}" if row.uses > 1 else "",
                when(row.expires_at) if row.status in ("invited", "expired") else "",
                when(row.invited_at),
                row.invited_by or row.invitation,
                when(row.joined_at),
            )
            for row in rows
        ),
    )
