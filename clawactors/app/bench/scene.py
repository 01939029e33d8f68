"""Where a figure is measured: a client, the cluster where it is our own, and the conditions that both make."""

import os
import platform
from typing import Any

from clawactors.app.client import Client
from clawactors.app.cluster import Cluster
from clawactors.errors import Refused
from eventlog.jetstream import JetStreamLog

__all__ = ["Scene"]


class Scene:
    """One cluster to measure on."""

    def __init__(self, client: Client, cluster: Cluster | None) -> None:
        self.client, self._cluster = client, cluster

    @property
    def cluster(self) -> Cluster:
        """Our own cluster. Raises: `Refused` on somebody else's, whose processes are not ours to look at or kill."""
        if self._cluster is None:
            raise Refused("this figure needs a cluster of its own: leave out --nats")
        return self._cluster

    def conditions(self, **more: Any) -> dict[str, Any]:
        """What the figure depends on."""
        log = self.client.log
        conditions: dict[str, Any] = {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "nats-server": ".".join(map(str, log.connection.version)) if isinstance(log, JetStreamLog) else "none",
        }
        if self._cluster is not None:
            plan = self._cluster.plan
            conditions |= {"sync": "always", "nodes": plan.nodes, "slots": plan.slots}
        return conditions | more
