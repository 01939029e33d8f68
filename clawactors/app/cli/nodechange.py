"""A command to one node, and its row after it."""

from collections.abc import Callable
from typing import Any

from clawactors.app.cli.session import ask, explained
from clawactors.app.client import Client
from clawactors.errors import NotFound
from clawactors.nodes import NODE, Node
from clawactors.nodes.commands import NodeCommand
from clawactors.nodes.events import CODEC
from clawactors.nodes.row import Work, row
from clawactors.runtime.actor import Actor
from clawactors.tasks.submission import checked_id
from eventlog import NoResponders

__all__ = ["change_node"]


async def change_node(client: Client, id: str, command_for: Callable[[Node], NodeCommand]) -> dict[str, Any]:
    """Decides the command that its state calls for. Raises: `NotFound`, `Refused`."""
    actor = Actor(client.desk, NODE, CODEC, checked_id(id, "node id"))
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
    return row(id, actor.state, Work())
