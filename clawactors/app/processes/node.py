"""The main of a node process."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from clawactors.app.processes.firststart import once_made, patience_of
from clawactors.app.processes.start import NodeStart, log_as_set, main
from clawactors.app.secretfile import read_secrets
from clawactors.app.skills import load_skills
from clawactors.eventlog.endpoint import INBOX
from clawactors.eventlog.jetstream import (
    Connection,
    HeldLog,
    JetStreamBlobs,
    JetStreamLeases,
    JetStreamOutputs,
    JetStreamRequests,
)
from clawactors.eventlog.sealedoutputs import SealedOutputs
from clawactors.kernel.principals import node_principal
from clawactors.runtime.clock import SystemClock
from clawactors.runtime.context import ActorContext
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.node.asked import AskedKeys, AskedRecords
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
    connection = await Connection.open(start.address, f"claw-node/{start.name}", inbox=_inbox(start))
    try:
        yield JetStreamLeases(connection, makes=False), JetStreamRequests(connection, listed=False)
    finally:
        await connection.aclose()


def _inbox(start: NodeStart) -> str:
    return f"{INBOX}.{node_principal(start.name)}"


async def _work(start: NodeStart, skills: Sequence[Skill], secrets: Secrets, ready: Callable[[], None]) -> None:
    patience_s = patience_of(start)
    async with (
        await Connection.open(start.address, f"claw-work/{start.name}", inbox=_inbox(start)) as connection,
        LivenessThread(lambda: _link(start)) as apart,
    ):
        requests = JetStreamRequests(connection, listed=False)
        questions = Questions(requests, node_principal(start.name), patience_s)
        records, keys = AskedRecords(questions), AskedKeys(questions)
        log = await once_made(lambda: HeldLog.open(connection, records, keys), patience_s)
        context = ActorContext(log, SystemClock(), f"node/{start.name}", start.name)
        context.dispatcher = Dispatcher(context, AskedSnapshots(questions))
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
            JetStreamBlobs(connection, purges=False), SealedOutputs(JetStreamOutputs(connection), log.sealer), secrets
        )
        node = NodeActor(
            context,
            JetStreamLeases(connection, makes=False),
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
