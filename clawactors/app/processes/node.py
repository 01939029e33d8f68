"""The main of a node process."""

import asyncio
from collections.abc import Callable

from clawactors.app.processes.start import NodeStart, main
from clawactors.app.skills import load_skills
from clawactors.runtime.actor import Desk
from clawactors.runtime.clock import SystemClock
from clawactors.runtime.node import NodeActor, NodeSettings
from eventlog.jetstream import JetStreamLeases, JetStreamLog, JetStreamRequests

__all__ = ["serve"]


async def serve(start: NodeStart, ready: Callable[[], None]) -> None:
    """Joins, works until cancelled, hands everything back."""
    skills = load_skills(start.skills, allow=start.allow)
    async with await JetStreamLog.connect(start.nats_url, f"claw-node/{start.name}") as log:
        desk = Desk(log, SystemClock(), f"node/{start.name}")
        settings = NodeSettings(
            id=start.name, slots=start.slots, affinity=start.affinity, folder=start.data, lease_s=start.lease_s
        )
        node = NodeActor(desk, JetStreamLeases(log.connection), JetStreamRequests(log.connection), settings, skills)
        await node.start()
        ready()
        work = asyncio.ensure_future(node.serve())
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            node.stop()
            await work


if __name__ == "__main__":
    main(NodeStart, serve)
