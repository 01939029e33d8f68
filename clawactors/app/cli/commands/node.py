"""`claw node ID` shows a node, `claw node set ID` changes what is configured of it."""

from typing import Any

from clawactors.app.cli.nodechange import change_node
from clawactors.app.cli.parsing import Parser, count, pair
from clawactors.app.cli.problem import Problem
from clawactors.app.cli.rows import node_card
from clawactors.app.cli.screen import emit
from clawactors.app.cli.session import ask, with_client
from clawactors.app.client import Client
from clawactors.systems.nodes import Node
from clawactors.systems.nodes.commands import ConfigureNode

__all__ = ["arguments", "run"]


def arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add_argument("words", nargs="+", metavar="[set] NODE")
    parser.add_argument("--slots", type=count, metavar="N", help="set: tasks it runs at a time")
    parser.add_argument("--affinity", type=pair, action="append", metavar="K=V", help="set: one tag; K= takes it away")


def run(options: Any) -> int:
    """Shows it, as it is now or after the change."""
    given = options.slots is not None or options.affinity is not None
    match options.words:
        case ["set", id]:
            if not given:
                raise Problem("usage", "what is to be set?", "claw node set NODE [--slots N] [--affinity K=V]")
        case [id] if not given:
            pass
        case _:
            raise Problem("usage", "which node?", "claw node NODE, or claw node set NODE --slots N")

    async def show(client: Client) -> int:
        if given:
            row = await change_node(client, id, lambda node: _configured(node, options))
        else:
            row = (await ask(client, "node", id=id, fresh=True))["row"]
        emit(options, row, lambda screen: node_card(screen, row))
        return 0

    return with_client(options, show)


def _configured(node: Node, options: Any) -> ConfigureNode:
    if options.affinity is None:
        return ConfigureNode(options.slots)
    affinity = node.joined.affinity | dict(options.affinity)
    return ConfigureNode(options.slots, {key: value for key, value in affinity.items() if value})
