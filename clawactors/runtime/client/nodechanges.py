"""Changes of nodes: drain, cordon, uncordon, remove, configure. Each returns the row after the change."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from clawactors.kernel.errors import NotFound
from clawactors.kernel.external import ExternalCommand
from clawactors.kernel.transfer import decode_state
from clawactors.runtime.client.rows import NodeRow
from clawactors.systems.nodes import Node
from clawactors.systems.nodes import external as x
from clawactors.systems.nodes.row import NodeWork, row
from clawactors.systems.tasks.submission import checked_id

if TYPE_CHECKING:
    from clawactors.runtime.client.client import ClusterClient

__all__ = ["NodeChanges"]


class NodeChanges:
    """Changes nodes. All raise `NotFound`, `Refused` and `Unavailable`."""

    def __init__(self, client: "ClusterClient") -> None:
        self._client = client

    async def drain(self, id: str) -> NodeRow:
        """Lets the node finish its tasks and gives it no new ones until `uncordon`."""
        return await self._change(id, x.DrainNodeRequest())

    async def cordon(self, id: str) -> NodeRow:
        """Stops placing new tasks on the node."""
        return await self._change(id, x.CordonNodeRequest())

    async def uncordon(self, id: str) -> NodeRow:
        """Places tasks on the node again."""
        return await self._change(id, x.UncordonNodeRequest())

    async def remove_node(self, id: str) -> NodeRow:
        """Removes a node that has left."""
        return await self._change(id, x.RemoveNodeRequest())

    async def set_node(
        self, id: str, *, slots: int | None = None, affinity: Mapping[str, str] | None = None
    ) -> NodeRow:
        """Sets the node's slots and adds labels to its affinity; an empty value removes the label."""
        merged = None
        if affinity is not None:
            known = (await self._look(id)).joined.affinity | dict(affinity)
            merged = {key: value for key, value in known.items() if value}
        return await self._change(id, x.ConfigureNodeRequest(slots=slots, affinity=merged))

    async def _look(self, id: str) -> Node:
        known = await self._client.state("node", checked_id(id, "node id"), Node)
        if known.state.status in ("absent", "removed") and not known.frozen:
            raise NotFound(f"there is no node {id!r}")
        return known.state

    async def _change(self, id: str, request: ExternalCommand) -> NodeRow:
        await self._look(id)
        named = replace(request, id=self._client.process.names.commit())
        outcome = await self._client.sender.ask("node", id, named, state=True)
        node = decode_state(Node, outcome.state)
        if node.status != "removed":
            return await self._client.node(id)
        return msgspec.convert(row(id, node, NodeWork()), NodeRow)
