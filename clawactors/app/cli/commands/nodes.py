"""`claw nodes`: all that ever joined and were not removed."""

from typing import Any

from clawactors.app.cli.output import emit
from clawactors.app.cli.parsing import Parser
from clawactors.app.cli.rows import node_table
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client

__all__ = ["arguments", "run"]


def arguments(parser: Parser) -> None:
    """It takes nothing of its own."""


def run(options: Any) -> int:
    """Lists them."""

    async def show(client: Client) -> int:
        rows = await client.nodes()
        emit(options, rows, lambda: node_table(rows))
        return 0

    return with_client(options, show)
