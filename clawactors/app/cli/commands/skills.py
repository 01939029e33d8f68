"""`claw skills`: lists the skills that nodes offer, or shows one with what follows its failures."""

from typing import Any

from clawactors.app.cli.output import emit
from clawactors.app.cli.rows import skill_card, skill_table
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client
from clawactors.app.problem import Problem

__all__ = ["run"]


def run(options: Any) -> int:
    """Lists them, or shows one."""

    async def show(client: Client) -> int:
        rows = await client.skills_known()
        if not options.name:
            emit(options, rows, lambda: skill_table(rows))
            return 0
        row = next((row for row in rows if row.name == options.name), None)
        if row is None:
            raise Problem(
                "not_found", f"no node offers the skill {options.name!r}", "claw skills lists what nodes offer"
            )
        emit(options, row, lambda: skill_card(row))
        return 0

    return with_client(options, show)
