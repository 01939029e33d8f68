"""Where a figure is measured: a client, the cluster where it is our own, and the conditions that both make."""

import contextlib
import os
import platform
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import batched
from typing import Any, Final

import msgspec

from clawactors.app.bench.skills import noop
from clawactors.app.client import Client
from clawactors.app.cluster import ClusterSupervisor
from clawactors.app.datafolder import DataFolder
from clawactors.app.server import NatsServer
from clawactors.eventlog import Unavailable
from clawactors.eventlog.jetstream import JetStreamLog
from clawactors.kernel.errors import Refused
from clawactors.kinds import KINDS
from clawactors.runtime.call import Call
from clawactors.runtime.context import ActorContext
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.naming import new_id
from clawactors.runtime.snapshots import LogSnapshots
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.submission import spec_of

__all__ = ["Scene"]

_FILL_TOGETHER: Final = 5000


class Scene:
    """One cluster to measure on."""

    def __init__(self, client: Client, log: JetStreamLog, cluster: ClusterSupervisor | None) -> None:
        self.client, self.log, self._cluster = client, log, cluster

    @property
    def cluster(self) -> ClusterSupervisor:
        """Our own cluster. Raises: `Refused` on somebody else's, whose processes are not ours to look at or kill."""
        if self._cluster is None:
            raise Refused("this figure needs a cluster of its own: leave out --nats")
        return self._cluster

    @asynccontextmanager
    async def bare_log(self) -> AsyncIterator[JetStreamLog]:
        """A log that nobody reads, on a server of its own with the same configuration: the limit of the parts.

        On the cluster's log the appends that are measured would be tasks, and be run.
        """
        folder = DataFolder.claim(self.cluster.path.parent / "bare")
        server = NatsServer(folder)
        try:
            await server.start()
            log = await JetStreamLog.connect(server.access.address(), "claw-bench", kinds=KINDS.names)
            try:
                yield log
            finally:
                await log.aclose()
        finally:
            await server.stop()
            folder.release()

    async def fill(self, records: int) -> None:
        """Appends so many records of tasks that are ended: a log as it is after a long time."""
        context = ActorContext(self.log, self.client.process.clock, self.client.process.by)
        dispatcher = Dispatcher(context, LogSnapshots(self.log))
        commands = c.Submit(spec_of(noop.name)), c.Cancel("bench")
        for numbers in batched(range(records), _FILL_TOGETHER):
            run = new_id()
            calls = [Call(TASKS, f"{run}-{number}", commands) for number in numbers]
            for outcome in await dispatcher.send_many(calls):
                if isinstance(outcome, Exception):
                    raise outcome
        while True:  # until the views hold all of it
            with contextlib.suppress(Unavailable):
                answer = msgspec.json.decode(await self.client.ask("status", {"fresh": True}))
                if "error" not in answer:
                    return

    def conditions(self, **more: Any) -> dict[str, Any]:
        """What the figure depends on."""
        conditions: dict[str, Any] = {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "nats-server": ".".join(map(str, self.log.connection.version)),
        }
        if self._cluster is not None:
            plan = self._cluster.plan
            conditions |= {"sync": "always", "nodes": plan.nodes, "slots": plan.slots}
        return conditions | more
