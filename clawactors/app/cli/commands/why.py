"""`claw why`: explains why a task is in its state."""

from typing import Any

from clawactors.app.cli.output import Facts, emit
from clawactors.app.cli.session import by_id, with_client
from clawactors.app.client import Client

__all__ = ["run"]


def run(options: Any) -> int:
    """Prints the reasons."""

    async def tell(client: Client) -> int:
        told = await by_id(client, options.id, client.why)
        emit(options, told, lambda: [Facts([("status", told.status), *(("", reason) for reason in told.reasons)])])
        return 0

    return with_client(options, tell)
