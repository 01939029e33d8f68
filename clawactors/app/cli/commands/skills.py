"""`claw skills`: lists the skills that nodes offer."""

from typing import Any

from clawactors.app.cli.output import emit
from clawactors.app.cli.rows import skill_table
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client

__all__ = ["run"]


def run(options: Any) -> int:
    """Lists the skills."""

    async def show(client: Client) -> int:
        rows = await client.skills_known()
        emit(options, rows, lambda: skill_table(rows))
        return 0

    return with_client(options, show)
