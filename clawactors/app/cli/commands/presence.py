"""`claw drain`, `cordon`, `uncordon`, `remove`: whether a node takes work."""

from typing import Any

from clawactors.app.cli.nodechange import change_node
from clawactors.app.cli.parsing import Parser
from clawactors.app.cli.rows import node_card
from clawactors.app.cli.screen import emit
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client
from clawactors.systems.nodes import commands as c

__all__ = ["arguments", "run"]


def arguments(parser: Parser) -> None:
    """What they take."""
    parser.add_argument("id", metavar="NODE")


def run(options: Any) -> int:
    """Decides the command on the node and shows the node after it."""

    async def change(client: Client) -> int:
        row = await change_node(client, options.id, lambda _: _command(options.command))
        emit(options, row, lambda screen: node_card(screen, row))
        return 0

    return with_client(options, change)


def _command(word: str) -> c.NodeCommand:
    match word:
        case "drain":
            return c.DrainNode(held=True)
        case "cordon":
            return c.CordonNode()
        case "uncordon":
            return c.UncordonNode()
        case _:
            return c.RemoveNode()
