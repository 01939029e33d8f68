"""`claw node ID` shows a node, `claw node set ID` configures it."""

from typing import Any

from clawactors.app.cli.output import emit
from clawactors.app.cli.rows import node_card
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client
from clawactors.app.problem import Problem

__all__ = ["run"]


def run(options: Any) -> int:
    """Prints the node, with `set` after the change."""
    given = options.slots is not None or options.affinity is not None
    match options.words:
        case ["set", id]:
            if not given:
                raise Problem("usage", "nothing to set", "claw node set NODE [--slots N] [--affinity K=V]")
        case [id] if not given:
            pass
        case _:
            raise Problem("usage", "which node?", "claw node NODE, or claw node set NODE --slots N")

    async def show(client: Client) -> int:
        affinity = None if options.affinity is None else dict(options.affinity)
        row = await (client.set_node(id, slots=options.slots, affinity=affinity) if given else client.node(id))
        emit(options, row, lambda: node_card(row))
        return 0

    return with_client(options, show)
