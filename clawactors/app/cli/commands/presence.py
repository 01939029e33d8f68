"""`claw drain`, `cordon`, `uncordon`, `remove`: control whether a node receives tasks."""

from typing import Any

from clawactors.app.cli.output import emit
from clawactors.app.cli.rows import node_card
from clawactors.app.cli.session import explained, with_client
from clawactors.app.client import Client

__all__ = ["run"]


def run(options: Any) -> int:
    """Changes the node and prints its new state."""

    async def change(client: Client) -> int:
        changes = {
            "drain": client.drain,
            "cordon": client.cordon,
            "uncordon": client.uncordon,
            "remove": client.remove_node,
        }
        with explained(f"claw node {options.id} shows its state"):
            row = await changes[options.command](options.id)
        emit(options, row, lambda: node_card(row))
        return 0

    return with_client(options, change)
