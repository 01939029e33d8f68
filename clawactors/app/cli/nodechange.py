"""A command to one node, and its row after it."""

from collections.abc import Callable
from typing import Any

from clawactors.app.cli.session import ask, explained
from clawactors.app.client import Client
from clawactors.eventlog import NoResponders
from clawactors.kernel.errors import NotFound
from clawactors.runtime.actor import Actor
from clawactors.systems.nodes import Node
from clawactors.systems.nodes.commands import NodeCommand
from clawactors.systems.nodes.kind import NODES
from clawactors.systems.nodes.row import NodeWork, row
from clawactors.systems.tasks.submission import checked_id

__all__ = ["change_node"]


async def change_node(client: Client, id: str, command_for: Callable[[Node], NodeCommand]) -> dict[str, Any]:
    """Decides the command that its state calls for. Raises: `NotFound`, `Refused`."""
    actor = Actor(client.context, NODES, checked_id(id, "node id"))
    await actor.catch_up()
    if actor.state.status in ("absent", "removed"):
        raise NotFound(f"there is no node {id!r}")
    with explained(f"claw node {id} shows its state"):
        await actor.handle(command_for(actor.state))
    if actor.state.status != "removed":
        try:
            answer: dict[str, Any] = (await ask(client, "node", id=id, fresh=True))["row"]
        except NoResponders:
            pass  # the log knows all of it but what the node has done
        else:
            return answer
    return row(id, actor.state, NodeWork())
