"""`claw nodes`: lists all nodes that have joined and were not removed."""

from typing import Any

from clawactors.app.cli.output import emit
from clawactors.app.cli.rows import node_table
from clawactors.app.cli.session import with_client
from clawactors.app.cli.watching import watch
from clawactors.app.client import Client

__all__ = ["run"]


def run(options: Any) -> int:
    """Lists them."""

    async def show(client: Client) -> int:
        if options.watch:
            return await watch(options, client.nodes, node_table)
        rows = await client.nodes()
        emit(options, rows, lambda: node_table(rows))
        return 0

    return with_client(options, show)
