"""A node as people and scripts read it. The keys are promises (see `docs/interface`): extend freely, drop none.

What the log knows (`Node`, `NodeWork`) is stored in views; what expires (`Heartbeat`) is joined at
query time.
"""

from typing import Any

import msgspec

from clawactors.kernel.time import iso
from clawactors.systems.nodes.decider import Node

__all__ = ["Heartbeat", "NodeWork", "row"]


class NodeWork(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a node has done, from the events of tasks. `busy_ns` is the time that the ended runs took.

    A run whose start and end came in one commit (it ended within some 20 ms) counts with no time.
    """

    scheduled: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    busy_ns: int = 0

    @property
    def ended(self) -> int:
        """Runs that came to an end of their own."""
        return self.succeeded + self.failed

    @property
    def mean_s(self) -> float:
        """Mean seconds of a run, 0 before the first."""
        return round(self.busy_ns / self.ended / 1e9, 6) if self.ended else 0.0


class Heartbeat(msgspec.Struct, frozen=True):
    """The last heartbeat of a node; shares of use in percent, None where unknown."""

    incarnation: str
    at_ns: int
    cpu: float | None = None
    memory: float | None = None
    disk: float | None = None


def row(id: str, node: Node, work: NodeWork, pulse: Heartbeat | None = None) -> dict[str, Any]:
    """The row of a node; `busy` is an online node without a free slot. The pulse of an old incarnation is ignored."""
    joined, machine = node.joined, node.joined.machine
    busy = node.status == "online" and work.running >= joined.slots
    beat = pulse if pulse is not None and pulse.incarnation == node.incarnation else None
    return {
        "id": id,
        "hostname": machine.hostname,
        "platform": machine.platform,
        "arch": machine.arch,
        "status": "busy" if busy else node.status,
        "skills": [offer.name for offer in joined.offers],
        "slots": joined.slots,
        "running": work.running,
        "cpu": beat.cpu if beat else None,
        "memory": beat.memory if beat else None,
        "disk": beat.disk if beat else None,
        "ip": machine.ip,
        "overlay_ip": machine.overlay_ip,
        "port": machine.port or None,
        "affinity": joined.affinity,
        "incarnation": node.incarnation,
        "processed": work.ended,
        "succeeded": work.succeeded,
        "failed": work.failed,
        "mean_s": work.mean_s,
        "registered_at": iso(node.registered_ns),
        "last_heartbeat_at": iso(beat.at_ns) if beat else None,
        "versions": {offer.name: offer.version for offer in joined.offers},
        "tags": list(joined.tags),
        "reason": node.reason or None,
        "updated_at": iso(node.updated_ns),
        "pid": machine.pid or None,
    }
