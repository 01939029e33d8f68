"""`claw revoke`: ends what a machine or a person may, at once."""

from typing import Any

from clawactors.app.cli.output import card, emit
from clawactors.app.cli.session import hinted, with_client
from clawactors.app.client import Client

__all__ = ["run"]


def run(options: Any) -> int:
    """Returns once the server refuses them, on open connections too."""

    async def work(client: Client) -> int:
        with hinted("claw who shows who is there"):
            row = await client.identities.revoke(options.name, options.reason)
        emit(options, row, lambda: [card(row)])
        return 0

    return with_client(options, work)
