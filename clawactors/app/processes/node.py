"""The main of a node process."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from clawactors.app.processes.start import NodeStart, log_as_set, main
from clawactors.app.secretfile import read_secrets
from clawactors.app.skills import load_skills
from clawactors.eventlog.jetstream import (
    Connection,
    JetStreamBlobs,
    JetStreamLeases,
    JetStreamLog,
    JetStreamOutputs,
    JetStreamRequests,
)
from clawactors.eventlog.sealedoutputs import SealedOutputs
from clawactors.kinds import KINDS
from clawactors.runtime.clock import SystemClock
from clawactors.runtime.context import ActorContext
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.node.capture import captured
from clawactors.runtime.node.liveness import LivenessThread
from clawactors.runtime.node.node import NodeActor, NodeSettings
from clawactors.runtime.node.secrets import Secrets
from clawactors.runtime.node.supplies import Supplies
from clawactors.runtime.questions import Questions
from clawactors.runtime.settings import LiveSettings
from clawactors.runtime.snapshots import AskedSnapshots
from clawactors.systems.skills import Skill

__all__ = ["serve"]

_JOINING_S: Final = 30.0
_BESIDE_S: Final = 240.0
"""How long control may be silent: one that starts beside this node may have a long log to read."""


async def serve(start: NodeStart, ready: Callable[[], None]) -> None:
    """Joins, works until cancelled, hands everything back."""
    secrets = Secrets(read_secrets(start.secrets))
    if not start.workers:
        skills = load_skills(start.skills, allow=start.allow, shared=start.shared)
        with captured(secrets):
            await _work(start, skills, secrets, ready)
        return
    from clawactors.runtime.node.workers import Workers

    async with Workers(start.workers, start.name) as workers:
        skills = load_skills(start.skills, allow=start.allow, of_workers=workers.skills, shared=start.shared)
        with captured(secrets):
            await _work(start, skills, secrets, ready)


@asynccontextmanager
async def _link(start: NodeStart) -> AsyncIterator[tuple[JetStreamLeases, JetStreamRequests]]:
    """A connection for the node's signs of life alone: when it ends, nobody is left to answer a probe."""
    connection = await Connection.open(start.address, f"claw-node/{start.name}")
    try:
        yield JetStreamLeases(connection), JetStreamRequests(connection)
    finally:
        await connection.aclose()


async def _work(start: NodeStart, skills: Sequence[Skill], secrets: Secrets, ready: Callable[[], None]) -> None:
    async with (
        await JetStreamLog.connect(
            start.address, f"claw-work/{start.name}", kinds=KINDS.names, inbox=f"_INBOX.{start.name}"
        ) as log,
        LivenessThread(lambda: _link(start)) as apart,
    ):
        context = ActorContext(log, SystemClock(), f"node/{start.name}", start.name)
        requests = JetStreamRequests(log.connection)
        patience_s = _BESIDE_S if start.parent else _JOINING_S
        context.dispatcher = Dispatcher(context, AskedSnapshots(Questions(requests, start.name, patience_s)))
        live = LiveSettings(log, start.given, "node")
        await live.open()
        live.watch(log_as_set)
        settings = NodeSettings(
            id=start.name,
            slots=live.current.node_slots,
            affinity=start.affinity,
            folder=start.data,
            lease_s=live.current.node_lease,
        )
        supplies = Supplies(
            JetStreamBlobs(log.connection), SealedOutputs(JetStreamOutputs(log.connection), log.sealer), secrets
        )
        node = NodeActor(
            context,
            JetStreamLeases(log.connection),
            requests,
            settings,
            skills,
            supplies,
            apart,
            live,
        )
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
