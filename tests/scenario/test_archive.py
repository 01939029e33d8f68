"""Archiving while control is killed again and again, on a real server: nothing is lost, and a replay is equal."""

import asyncio
import os
import random
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from clawactors import Client
from clawactors.app.archive import archive_of, archived_log
from clawactors.app.cluster import ClusterSupervisor
from clawactors.app.clusterplan import ClusterPlan
from clawactors.app.discovery import discover
from clawactors.app.projections import CLUSTER
from clawactors.eventlog import EventLogError
from clawactors.eventlog.jetstream import JetStreamLog
from clawactors.kernel.errors import Refused
from clawactors.projections.engine.digest import StoreDigest
from clawactors.projections.engine.replay import verify
from clawactors.runtime.client.submitting import TaskRequest
from clawactors.systems.tasks.submission import spec_of

pytestmark = [pytest.mark.nats, pytest.mark.soak]

TASKS = 300
ROUNDS = 8


@pytest.mark.parametrize("seed", range(3))
async def test_control_that_is_killed_while_it_archives_loses_nothing(tmp_path: Path, seed: int) -> None:
    r, data = random.Random(seed), tmp_path / "data"
    async with (
        ClusterSupervisor(data, ClusterPlan(nodes=1, slots=50)) as cluster,
        Client.of(discover(nats=cluster.nats_url)) as client,
    ):
        for number in range(ROUNDS):
            ids = [f"r{number}-{n}" for n in range(TASKS)]
            await client.submit_many([TaskRequest(id, spec_of("echo", {"text": id})) for id in ids])
            async for _ in client.ended(ids):
                pass
            moving = asyncio.create_task(client.archive(0.0))
            await asyncio.sleep(r.uniform(0.0, 2.5))  # the point of the kill, wherever that is
            os.kill(cluster.run.pids.control, signal.SIGKILL)
            with suppress(EventLogError, Refused):  # the next round completes it
                await moving
        assert (await client.archive(0.0)).left == 0
        assert (await client.status(fresh=True)).tasks["archived"] == ROUNDS * TASKS
        log = await JetStreamLog.over(client.connection)
        archive = archive_of(data)
        assert await archive.unfinished() == []
        live = await client.views.answer(StoreDigest, "digest", fresh=True)
        verified = await verify(archived_log(log, archive), live, CLUSTER)
        assert verified.equal
        for id in ("r0-7", f"r{ROUNDS - 1}-{TASKS - 1}"):
            assert await client.ref(id).result(10) == id
            assert [entry.type for entry in await client.history(id)][-1] == "task.archived"
